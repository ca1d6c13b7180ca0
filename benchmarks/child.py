"""Commands in processes of their own, with what they took."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_LAUNCH = Path(__file__).with_name("launch.py")


class Ended(NamedTuple):
    """A process that ended well.

    Attributes:
        output: What it printed.
        wall_s: How long it ran.
        peak_mib: The most memory it had resident.
        cpu_s: Of the processor, its children's included.
    """

    output: str
    wall_s: float
    peak_mib: float
    cpu_s: float


def run(*command: str, folder: Path = ROOT) -> Ended:
    """Run a command in a folder; stdout and stderr together are its output. Raises RuntimeError where it fails."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.json"
        done = subprocess.run(
            [sys.executable, "-S", str(_LAUNCH), str(report), *command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        code, *figures = json.loads(report.read_text())
    if code != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{done.stdout[-3000:]}")
    return Ended(done.stdout, *figures)


def python(*arguments: str, folder: Path = ROOT) -> Ended:
    """Run this python."""
    return run(sys.executable, *arguments, folder=folder)
