"""What only a process of its own shows: imports at start, broken pipes, and sums that `sha256sum` accepts."""

import os
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT
from trml.base.artifacts import SUMS, damage, new_folder

LIGHT = {"torch", "numpy", "polars", "pydantic", "yaml", "hydra", "rich.markdown"}


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--help"], {}),
        (["--version"], {}),
        ([], {"_TRML_COMPLETE": "complete_bash", "COMP_WORDS": "trml sh", "COMP_CWORD": "1"}),
    ],
)
def test_the_command_starts_without_what_it_does_not_need(arguments, variables):
    """Neither torch nor pydantic, numpy, polars: help and completions are there in 0.1 s."""
    code = (
        "import atexit, sys, trml.cli.main as m; "
        f"atexit.register(lambda: print(sorted({LIGHT!r} & set(sys.modules)), file=sys.stderr)); m.main({arguments!r})"
    )
    environment = {**os.environ, **variables}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "show" in done.stdout or "trml 0" in done.stdout


def test_planning_starts_without_torch():
    code = (
        "import sys; from trml.config.load import load; from trml.planning.plan import plans; "
        "plans(load('params.yaml'))[0].results; "
        "import trml.cli.main, trml.planning.workflow, trml.planning.handover; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("arguments", "code"), [(["plan"], 0), (["schema"], 0), (["--help"], 0), (["show", "nope", "--json"], 3)]
)
def test_a_reader_that_stops_changes_neither_output_nor_exit_code(arguments, code):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "trml", *arguments]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, cwd=ROOT, env=buffered, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ("" if code == 0 else done.stderr) and "Traceback" not in done.stderr
    assert done.returncode == code


def test_a_read_only_folder_can_be_read_and_is_left_as_it_is(tmp_path):
    """As root, so that a mount says so: permissions stop nobody then."""
    (tmp_path / "here").mkdir()
    for name in ("config", "results", "Snakefile", "workflow"):
        (tmp_path / "here" / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "params.yaml", tmp_path / "here")
    before = sorted((tmp_path / "here").iterdir())
    script = f"""
    mount --bind {tmp_path}/here {tmp_path}/here && mount -o remount,ro,bind {tmp_path}/here || exit 77
    cd {tmp_path}/here
    {sys.executable} -m trml show pantomime_full >/dev/null || exit 1
    {sys.executable} -m trml status >/dev/null || exit 2
    {sys.executable} -m trml run; [ $? = 3 ] || exit 4
    {sys.executable} -m trml run pantomime; [ $? = 3 ] || exit 5
    {sys.executable} -m trml compose; [ $? = 3 ] || exit 6
    """
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "Operation not permitted" in done.stderr:
        pytest.skip("this user may not mount")
    assert done.returncode == 0, done.stderr
    assert "read-only file system" in done.stderr and "Run elsewhere: trml run --into <folder>" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted((tmp_path / "here").iterdir()) == before


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
