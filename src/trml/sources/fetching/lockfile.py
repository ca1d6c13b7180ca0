"""Record in data/sources.lock which files were fetched or provided, so that a changed file is noticed.

The file is JSON: path below data -> sha256, size in bytes, url (null if the user provided the file), date, and
modification time, by which an untouched file is recognised without reading it.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from trml.base.artifacts import write_json
from trml.base.errors import FetchFailed
from trml.base.lock import alone


@dataclass(config=ConfigDict(extra="forbid", strict=True), frozen=True)
class Entry:
    """The record of a file."""

    sha256: str
    size: int
    url: str | None
    date: str
    mtime_ns: int


_ENTRIES: TypeAdapter[dict[str, Entry]] = TypeAdapter(dict[str, Entry])


class Lock:
    """The lock file of a folder of corpora."""

    def __init__(self, data: Path) -> None:
        self.data, self.path = data, data / "sources.lock"

    def entry(self, target: Path) -> Entry | None:
        """Return the record of a file, None without one; raise FetchFailed if the lock file is damaged."""
        return self._read().get(self._key(target))

    def untouched(self, target: Path) -> bool:
        """Return whether a file has the recorded size and modification time."""
        entry, stat = self.entry(target), target.stat()
        return entry is not None and (entry.size, entry.mtime_ns) == (stat.st_size, stat.st_mtime_ns)

    def record(self, target: Path, sha256: str, url: str | None) -> None:
        """Record a complete file; `url` is None if the user provided it."""
        stat = target.stat()
        entry = Entry(sha256, stat.st_size, url, f"{datetime.now(UTC):%Y-%m-%d}", stat.st_mtime_ns)
        with alone(self.path):
            write_json(self.path, dict(sorted({**self._read(), self._key(target): entry}.items())))

    def _key(self, target: Path) -> str:
        return Path(os.path.relpath(target, self.data)).as_posix()

    def _read(self) -> dict[str, Entry]:
        try:
            return _ENTRIES.validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError:
            raise FetchFailed(
                f"{self.path} is damaged; expected JSON with the checksums of fetched files. Restore it from a backup, "
                "or remove it: the existing files are then recorded again without comparison"
            ) from None
