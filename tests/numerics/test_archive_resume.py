"""Unpacking that was killed resumes, and never leaves a partial file under its name."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.packed import tarred, tree, zipped
from trml.sources.formats.archives import unpack

KILLED = """
import os, signal, sys
from pathlib import Path
from trml.sources.formats import archives
archives.CHUNK = 1000
left = int(sys.argv[3])
copy = archives._copy
class Counted:
    def __init__(self, file): self.file = file
    def write(self, data):
        global left
        self.file.write(data); self.file.flush()
        left -= len(data)
        if left < 0: os.kill(os.getpid(), signal.SIGKILL)
archives._copy = lambda source, file, meter, done: copy(source, Counted(file), meter, done)
archives.unpack(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("kind", ["zip", "nested"])
def test_unpacking_resumes_after_a_kill(tmp_path, kind):
    random.seed(1)
    contents = {f"clips/{i}.mp4": random.randbytes(7000) for i in range(6)}
    expected = contents if kind == "zip" else {f"in/{name}": content for name, content in contents.items()}
    packed = zipped(contents) if kind == "zip" else tarred({"in/train.tar.gz": tarred(contents)})
    archive, out = tmp_path / "x", tmp_path / "out"
    archive.write_bytes(packed)
    for after in (500, 12_000, 30_000, 60_000):
        command = [sys.executable, "-c", KILLED, archive, out, str(after)]
        killed = subprocess.run(command, check=False, capture_output=True)
        if killed.returncode == 0:
            continue
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        whole = {name: content for name, content in tree(out).items() if not name.endswith(".part")}
        assert all(expected[name] == content for name, content in whole.items() if not name.endswith(".tar.gz"))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4")}
    unpack(archive, out)
    assert tree(out) == expected
    assert before, "the killed runs left something to resume from"
    assert all(Path(path).stat().st_mtime_ns == time for path, time in before.items())
