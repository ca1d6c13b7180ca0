"""Output that cannot be written and a working folder that is gone end in words."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT


def run(command, folder):
    """Run a command of a shell in a folder, with `trml` in it."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
    ran = ["bash", "-c", command.replace("trml", f"{sys.executable} -m trml", 1)]
    return subprocess.run(ran, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", ["--help", f"show {ROOT}/results/pantomime_full", "show nope --json"])
def test_output_that_cannot_be_written_is_said(tmp_path, words):
    done = run(f"trml {words} >/dev/full", tmp_path)
    assert done.returncode == 3
    assert "trml: the output could not be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_working_folder_that_was_removed(tmp_path):
    (tmp_path / "gone").mkdir()
    done = run("rmdir $PWD; trml --help", tmp_path / "gone")
    assert done.returncode == 3
    assert done.stderr == "trml: the working folder was removed\nExpected a folder that exists\n"
