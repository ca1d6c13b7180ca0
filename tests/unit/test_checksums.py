"""Checksums of raw files are remembered, and computed again whenever a file may have changed."""

import os

import pytest

from trml.base.checksums import known_digests
from trml.base.digests import file_digest


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.bin"
    path.write_bytes(b"one")
    return path


def test_a_file_is_hashed_once(raw, tmp_path, monkeypatch):
    memory, hashed = tmp_path / "memory.json", []
    monkeypatch.setattr("trml.base.checksums.file_digest", lambda path: hashed.append(path) or file_digest(path))
    assert known_digests([raw], memory) == known_digests([raw], memory) == [file_digest(raw)]
    assert len(hashed) == 1


def in_place(path):
    path.write_bytes(b"two")


def by_another_file(path):
    other = path.with_name("other")
    other.write_bytes(b"two")
    other.replace(path)


@pytest.mark.parametrize("change", [in_place, by_another_file])
def test_a_file_of_the_same_size_and_time_is_hashed_again(raw, tmp_path, change):
    memory, times = tmp_path / "memory.json", raw.stat()
    before = known_digests([raw], memory)
    change(raw)
    os.utime(raw, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert known_digests([raw], memory) == [file_digest(raw)] != before
