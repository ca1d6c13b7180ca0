"""The part of a file that has arrived: <file>.part, and beside it <file>.part.json, which says how far it is sure.

After a kill or a power cut the last bytes of a file may never have reached the disk. So what is sure is written down
every few seconds: how many bytes, and their checksum; whatever comes after them is fetched again.
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

SURE_EVERY_S = 5.0

_BLOCK = 1 << 20


@dataclass(config=ConfigDict(extra="forbid", strict=True), frozen=True)
class _Sure:
    url: str
    validator: str
    total: int | None
    size: int
    sha256: str


_SURE: TypeAdapter[_Sure] = TypeAdapter(_Sure)


def digest(path: Path, size: int) -> "hashlib._Hash":
    """The sha256 of the first `size` bytes of a file, or of all where it is shorter; says how far it is."""
    found, done, pace = hashlib.sha256(), 0, Pace(f"checking {path.name}", 0, size, Patience())
    with path.open("rb") as handle:
        while block := handle.read(min(size - done, _BLOCK)):
            found.update(block)
            done += len(block)
            pace.update(done)
    return found


class Part:
    """A file on its way to `target`.

    url, validator (ETag or Last-Modified; empty where there is none), total: of the answer that it began with.
    size: bytes that are there; hash: their sha256. resumed: whether they came in more than one answer.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.side = target.with_name(target.name + ".part.json")
        self.begin("", "", None)

    def begin(self, url: str, validator: str, total: int | None) -> None:
        """Nothing of the file is there, and it comes from this answer."""
        self.url, self.validator, self.total = url, validator, total
        self.size, self.hash, self.resumed = 0, hashlib.sha256(), False

    def drop(self) -> None:
        """Forget what is there, also on the disk."""
        self.begin("", "", None)
        self.side.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def recall(self) -> None:
        """Take up what an earlier process left, as far as it is sure; a part that was damaged is left aside."""
        try:
            sure = _SURE.validate_json(self.side.read_bytes())
            found = digest(self.path, sure.size)
        except (OSError, ValidationError):
            return
        if found.hexdigest() == sure.sha256:
            self.url, self.validator, self.total = sure.url, sure.validator, sure.total
            self.size, self.hash, self.resumed = sure.size, found, True

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """A writer of what comes after the bytes that are there; they are sure when the block ends, however it does."""
        with self.path.open("r+b" if self.path.exists() else "w+b") as handle:
            handle.truncate(self.size)
            handle.seek(self.size)
            writer = Writer(self, handle)
            try:
                yield writer
            finally:
                writer.make_sure()

    def finish(self) -> None:
        """The file is whole: put it in its place."""
        self.path.replace(self.target)
        self.side.unlink(missing_ok=True)
        folder = os.open(self.target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Writer:
    """Appends to a part and makes sure of it now and then."""

    def __init__(self, part: Part, handle: IO[bytes]) -> None:
        self.part, self.handle, self.last = part, handle, time.monotonic()

    def write(self, block: bytes) -> bool:
        """Append a block; True where all that is there was made sure."""
        self.handle.write(block)
        self.part.hash.update(block)
        self.part.size += len(block)
        due = time.monotonic() - self.last >= SURE_EVERY_S
        if due:
            self.make_sure()
        return due

    def make_sure(self) -> None:
        """Bring all to the disk, then write down how much it is."""
        part = self.part
        self.handle.flush()
        os.fsync(self.handle.fileno())
        self.last = time.monotonic()
        sha256 = part.hash.hexdigest()
        write_json(part.side, _Sure(part.url, part.validator, part.total, part.size, sha256))
