"""The confined process: it takes nothing of the folder it runs in, ends with its parent, and is ended with its file."""

import json
import os
import signal
import subprocess
import sys

import polars as pl
import pytest

from trml.base import confined
from trml.sources.formats.parquet import read_parquet

# The confined process with a reader that comes to no end and, as libraries in C do, lets no other thread run.
STUCK = """
import ctypes, sys, time, types
reader = types.ModuleType("reader")
reader.attempt = lambda path: {"c": ctypes.PyDLL(None).sleep, "python": time.sleep}[path.name](600)
sys.modules["reader"] = reader
from trml.base import confined
confined.serve(int(sys.argv[1]))
"""
PARENT = """
import os, signal, subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1], str(os.getpid())], stdin=subprocess.PIPE, start_new_session=True
)
child.stdin.write(sys.argv[2].encode())
child.stdin.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def request(path, patience):
    return json.dumps({"reader": "reader", "path": path, "memory": 1 << 29, "patience": patience}) + "\n"


def test_the_system_ends_a_reader_that_comes_to_no_end():
    words = [sys.executable, "-c", STUCK, str(os.getpid())]
    soon = request("c", 1 - confined._GRACE_S)
    done = subprocess.run(words, input=soon.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGALRM
    assert done.stdout == b""


def test_it_ends_with_a_parent_that_is_killed():
    """What it prints to stays open as long as it is there."""
    words = [sys.executable, "-c", PARENT, STUCK, request("python", 600)]
    assert subprocess.run(words, capture_output=True, timeout=60, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("entries", ["", ".", "here", ":here", "here/../here:"])
def test_it_takes_no_module_of_the_folder_that_it_runs_in(tmp_path, monkeypatch, entries):
    for folder in (tmp_path, tmp_path / "here"):
        folder.mkdir(exist_ok=True)
        for name in ("json", "polars", "resource"):
            (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')")
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{entries}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(confined, "_helpers", {})
    assert read_parquet(path).height == 1
    assert not (tmp_path / "canary").exists()
    for helper in confined._helpers.values():
        helper.stdin.close()
        helper.wait()
