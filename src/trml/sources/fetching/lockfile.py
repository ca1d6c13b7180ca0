"""data/sources.lock: what was fetched or brought, so that later it must be the same.

JSON: a file's path below data -> its sha256, size in bytes, url (null: it was brought), date, and the time it was last
changed, by which a file that nobody touched is known again without reading it.
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
    """What is known of a file."""

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
        """What is recorded of a file. Raises FetchFailed where the lock file is damaged."""
        return self._read().get(self._key(target))

    def untouched(self, target: Path) -> bool:
        """Whether a file is, by its size and time, the one that was recorded."""
        entry, found = self.entry(target), target.stat()
        return entry is not None and (entry.size, entry.mtime_ns) == (found.st_size, found.st_mtime_ns)

    def record(self, target: Path, sha256: str, url: str | None) -> None:
        """Record a whole file."""
        found = target.stat()
        entry = Entry(sha256, found.st_size, url, f"{datetime.now(UTC):%Y-%m-%d}", found.st_mtime_ns)
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
                f"{self.path} is damaged; expected JSON with the checksums of the files that were fetched. Bring it "
                "back from a copy, or remove it: then the files that are there are recorded anew, as they are"
            ) from None
