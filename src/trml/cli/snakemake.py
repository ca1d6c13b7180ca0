"""Run Snakemake as a process of its own, its output in a log file, and stop it by Ctrl-C."""

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trml.base.errors import NotBuilt
from trml.cli.common import CHECKOUT
from trml.cli.ending import Code

_SAID = re.compile(r"^(results|work)/\S+: .+$")  # lines of the log that users are shown
_ENDED = re.compile(r"^trml( \w+)?: .+$")
_PR_SET_PDEATHSIG = 1
_POLL_S = 0.2


class Snakemake:
    """A run of Snakemake.

    It is a process group of its own, which a signal to this process is passed on to: the first one as SIGINT, so that
    trainings are saved, a second one as SIGKILL.

    Args:
        params: The configuration file.
        targets: What to make, nothing for all.
        cores: As for --cores.
        snakefile: The workflow.

    Attributes:
        log: The file with its output.
        stopped: The signal that stopped it, None as long as none came.
    """

    def __init__(self, params: str, targets: Sequence[str] = (), cores: str = "all", snakefile: Path | None = None):
        self.log = _new_log()
        self.stopped: int | None = None
        self._read = 0
        arguments = ["--snakefile", str(snakefile or workflow()), "--cores", cores, "--config", f"params={params}"]
        command = [sys.executable, "-m", "snakemake", *targets, *arguments]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path},
                process_group=0,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  this process has no other thread
            )

    def watch(self, every: float) -> Iterator[list[str]]:
        """Yield every so many seconds what it has newly said to users, until it has ended."""
        previous: dict[int, Any] = {}
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            previous[each] = signal.signal(each, self._pass_on)
        try:
            last = 0.0
            while self._process.poll() is None:
                if time.monotonic() - last >= every:
                    last = time.monotonic()
                    yield self._said()
                time.sleep(_POLL_S)
            yield self._said()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    @property
    def code(self) -> int:
        """The exit code that its end stands for."""
        if self.stopped is not None:
            return Code.INTERRUPTED if self.stopped == signal.SIGINT else Code.TERMINATED
        return Code.DONE if self._process.returncode == 0 else Code.NO

    def last_words(self) -> list[str]:
        """Return the errors in its log that jobs and the workflow ended with."""
        lines = self.log.read_text(errors="replace").splitlines()
        return list(dict.fromkeys(line for line in lines if _ENDED.match(line) and "Resume with" not in line))

    def _said(self) -> list[str]:
        with self.log.open("rb") as log:
            log.seek(self._read)
            whole, end, _ = log.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        lines = whole.decode(errors="replace").splitlines()
        return [line for line in lines if _SAID.match(line)]

    def _pass_on(self, number: int, frame: object) -> None:
        if self.stopped is None:
            words = "Stopping: saving trainings in progress. Press Ctrl-C again to skip saving."
            sys.stderr.write(f"\n{words}\n" if sys.stderr.isatty() else f"{words}\n")
            sys.stderr.flush()
        self._signal(signal.SIGINT if self.stopped is None else signal.SIGKILL)
        self.stopped = self.stopped or number

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def workflow() -> Path:
    """Return the Snakefile: of this folder, else of the checkout that the package is run from.

    Raises:
        NotBuilt: If there is neither.
    """
    for path in (Path("Snakefile"), CHECKOUT / "Snakefile"):
        if path.is_file():
            return path.absolute()
    raise NotBuilt(
        f"there is no Snakefile in {Path.cwd()}; `trml run` needs a checkout of the repository",
        command="cd <checkout> && trml run",
    )


def _new_log() -> Path:
    folder = Path("work/logs")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"run-{time.strftime('%Y%m%d-%H%M%S')}.log"
    log.touch()
    return log


def _end_with_parent() -> None:
    """Have Linux interrupt Snakemake where this process is killed, so that no run goes on unseen."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
