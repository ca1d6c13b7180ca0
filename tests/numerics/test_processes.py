"""What only a process of its own shows: imports at start, broken pipes, and sums that `sha256sum` accepts."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT
from trml.base.artifacts import SUMS, damage, new_folder


def test_the_command_starts_without_what_it_does_not_need():
    """Neither torch nor pydantic, numpy, polars: --help is there in 0.05 s."""
    code = (
        "import sys, trml.cli.main as m; m.parser(); "
        "print(sorted({'torch', 'numpy', 'polars', 'pydantic', 'yaml', 'hydra'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_planning_starts_without_torch():
    code = (
        "import sys; from trml.config.load import load; from trml.planning.plan import plans; "
        "plans(load('params.yaml'))[0].results; "
        "import trml.cli.main, trml.planning.workflow, trml.planning.handover; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("arguments", [["plan"], ["schema"], ["--help"], ["train", "--help"]])
def test_a_reader_that_stops_ends_the_command_without_a_traceback(arguments):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "trml", *arguments]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, cwd=ROOT, env=buffered, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141  # as the shell says of a program that SIGPIPE ends


def test_sums_are_those_of_sha256sum(tmp_path):
    with new_folder(tmp_path / "made", "whole.json") as folder:
        (folder / "whole.json").write_text("{}")
        (folder / "deep").mkdir()
        (folder / "deep" / "a b.txt").write_text("x")
    assert damage(tmp_path / "made") is None
    command = ["sha256sum", "--check", "--status", SUMS]
    assert subprocess.run(command, cwd=tmp_path / "made", check=False).returncode == 0
    (tmp_path / "made" / "deep" / "a b.txt").write_text("y")
    words = f"deep/a b.txt changed after it was written: its checksum differs from {SUMS}"
    assert damage(tmp_path / "made") == words
