"""Write what commands print into the pages of docs/ that show it.

Usage: make docs. A block ```console holds commands after `$ `, each followed by its output. They are run from the
repository's folder, in a shell of 80 columns, on the committed results. A test fails while a
page and a command disagree.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Return the pages that have such blocks."""
    return [page for page in sorted((ROOT / "docs").glob("*.md")) if _BLOCK.search(page.read_text())]


def rendered(text: str) -> str:
    """Return a page with the output that its commands have now."""
    return _BLOCK.sub(lambda block: f"```console\n{_session(block[1])}```", text)


def _session(block: str) -> str:
    commands = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{_output(command)}" for command in commands)


def _output(command: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "80", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.stderr:
        sys.exit(f"{command}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    for page in pages():
        page.write_text(rendered(page.read_text()))
