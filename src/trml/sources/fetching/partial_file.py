"""Keep the part of a file that has arrived in <file>.part, with a record of its verified length beside it.

After a kill or a power cut, the last bytes of a file may never have reached the disk. <file>.part.json therefore
records the last fsynced offset and the checksum up to it every few seconds. Bytes after it are fetched again.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from trml.base.artifacts import write_json
from trml.sources.fetching.rate import Pace, Patience

SYNC_EVERY_S = 5.0

_BLOCK = 1 << 20


@dataclass(config=ConfigDict(extra="forbid", strict=True), frozen=True)
class _Synced:
    """The record of the bytes that have reached the disk."""

    url: str
    validator: str
    total: int | None
    size: int
    sha256: str


_SYNCED: TypeAdapter[_Synced] = TypeAdapter(_Synced)


def digest(path: Path, size: int) -> "hashlib._Hash":
    """Return the sha256 of the first `size` bytes of a file, or of a shorter file; print progress."""
    checksum, done, pace = hashlib.sha256(), 0, Pace(f"checking {path.name}", 0, size, Patience())
    with path.open("rb") as handle:
        while block := handle.read(min(size - done, _BLOCK)):
            checksum.update(block)
            done += len(block)
            pace.update(done)
    return checksum


class Part:
    """A file that is being downloaded to `target`.

    Attributes:
        url: Of the response that it began with.
        validator: Its ETag or Last-Modified, empty without one.
        total: Its size in bytes, None if unknown.
        size: Bytes received.
        hash: Their sha256.
        resumed: Whether they came in more than one response.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.side = target.with_name(target.name + ".part.json")
        self.begin("", "", None)

    def begin(self, url: str, validator: str, total: int | None) -> None:
        """Start from the first byte, with this response."""
        self.url, self.validator, self.total = url, validator, total
        self.size, self.hash, self.resumed = 0, hashlib.sha256(), False

    def drop(self) -> None:
        """Discard the received bytes, also on disk."""
        self.begin("", "", None)
        self.side.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def recall(self) -> None:
        """Resume from the recorded bytes of an earlier process; ignore a damaged part."""
        try:
            synced = _SYNCED.validate_json(self.side.read_bytes())
            checksum = digest(self.path, synced.size)
        except (OSError, ValidationError):
            return
        if checksum.hexdigest() == synced.sha256:
            self.url, self.validator, self.total = synced.url, synced.validator, synced.total
            self.size, self.hash, self.resumed = synced.size, checksum, True

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """Yield a writer that appends to the part. Its bytes are synced when the block ends, also by an error."""
        with self.path.open("r+b" if self.path.exists() else "w+b") as handle:
            handle.truncate(self.size)
            handle.seek(self.size)
            writer = Writer(self, handle)
            try:
                yield writer
            finally:
                writer.sync()

    def finish(self) -> None:
        """Move the complete file to its final path."""
        self.path.replace(self.target)
        self.side.unlink(missing_ok=True)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Writer:
    """Appends to a part and syncs it every few seconds."""

    def __init__(self, part: Part, handle: IO[bytes]) -> None:
        self.part, self.handle, self.last = part, handle, time.monotonic()

    def write(self, block: bytes) -> bool:
        """Append a block; return whether the part was synced."""
        self.handle.write(block)
        self.part.hash.update(block)
        self.part.size += len(block)
        due = time.monotonic() - self.last >= SYNC_EVERY_S
        if due:
            self.sync()
        return due

    def sync(self) -> None:
        """Flush the part to disk, then record its length and checksum."""
        part = self.part
        self.handle.flush()
        os.fsync(self.handle.fileno())
        self.last = time.monotonic()
        sha256 = part.hash.hexdigest()
        write_json(part.side, _Synced(part.url, part.validator, part.total, part.size, sha256))
