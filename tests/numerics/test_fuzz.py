"""A short run of `make fuzz`: changed files of every kind end in right values or in an error that names the file."""

import random
import re
import subprocess
import sys
from pathlib import Path

import fuzz
import sound_files
from trml.base.errors import ContractError


def test_changed_files_end_in_values_or_in_an_error(tmp_path):
    """In a process of its own, whose memory is that of the readers."""
    command = [sys.executable, fuzz.__file__, "--files", "186", "--seed", "7"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert re.fullmatch(r"186 changed files of 31 kinds were read, with \d+ MB of memory\nno findings\n", done.stdout)


def test_the_fuzzer_finds_what_it_is_for(tmp_path):
    """Readers that do what none may: each is a finding, and its file is kept."""

    def unnamed(path: Path, out: Path) -> None:
        raise ContractError("something is wrong")

    def crash(path: Path, out: Path) -> None:
        raise ValueError("x")

    def wrong(path: Path, out: Path) -> None:
        sound_files.expect(False, "other values")

    def outside(path: Path, out: Path) -> None:
        (out.parent / "outside").touch()

    def sound(path: Path, out: Path) -> None:
        (out / "inside").touch()

    words = {unnamed: "the file is not named", crash: "ValueError: x", wrong: "wrong data", outside: "files outside"}
    for reader, finding in words.items():
        name = f"{reader.__name__}.bin"
        found = fuzz._one(tmp_path, name, b"x", reader, tmp_path / "keep")
        assert len(found) == 1
        assert finding in found[0]
        assert (tmp_path / "keep" / name).read_bytes() == b"x"
    assert fuzz._one(tmp_path, "sound.bin", b"x", sound, tmp_path / "keep") == []


def test_changes_are_those_of_the_seed():
    content = bytes(range(200))
    once, again = (fuzz.changed(content, random.Random("0 1")) for _ in range(2))
    assert once == again
    assert sum(fuzz.changed(content, random.Random(i)) != content for i in range(50)) > 40
