"""Check the members of an archive before anything is written.

Threat model: archives come from the network and are not trusted. Refused are links, special files, paths out of the
folder, names that collide, and archives that unpack to far more than their size. archive_entries.py lists them.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trml.base.printable import shortened
from trml.sources.formats.archive_entries import entries, refuse
from trml.sources.formats.limits import MEMBERS
from trml.sources.formats.names import unsafe_path

UNFINISHED = ".part"

LISTING = ".members"  # ends the hidden name of the list of an inner archive's files

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Member:
    """A file to unpack.

    Attributes:
        path: Below the folder it is unpacked to.
        size: In bytes.
        crc: Checksum, None in a tar.
    """

    path: PurePosixPath
    size: int
    crc: int | None

    @property
    def is_archive(self) -> bool:
        """Whether it is itself an archive to unpack, by its name."""
        return self.path.name.lower().endswith(ARCHIVES)


@dataclass
class Allowance:
    """The budget of an archive and all archives in it: what they may unpack to, and what they have so far.

    Attributes:
        most: Bytes on disk.
        size: Bytes so far.
        files: Files so far.
    """

    most: int
    size: int = 0
    files: int = 0

    def take(self, archive: Path, size: int) -> None:
        """Count a file of an archive; raise ArchiveRefused beyond the budget."""
        self.size += size
        self.files += 1
        if self.files > MEMBERS:
            refuse(archive, f"it has more than {MEMBERS} members, with those of the archives in and around it")
        if self.size > self.most:
            words = f"it unpacks to more than {self.most} bytes, with the archives in and around it"
            refuse(archive, f"{words}, from {archive.stat().st_size}")


def members(archive: Path, allowance: Allowance) -> tuple[dict[str, Member], int]:
    """Return the files to unpack, by their name in the archive, and the number of macOS metadata files.

    Args:
        archive: The archive.
        allowance: What it may unpack to. The files are counted against it.

    Raises:
        ArchiveRefused: For the first member that is not allowed.
    """
    files: dict[str, Member] = {}
    taken: dict[str, tuple[PurePosixPath, bool]] = {}  # by the name on a file system that ignores case; is it a file?
    leftovers = 0
    for count, entry in enumerate(entries(archive), 1):
        if count > MEMBERS:
            refuse(archive, f"it has more than {MEMBERS} members")
        path = _path(archive, entry.name)
        if any(part.startswith("._") or part in ("__MACOSX", ".DS_Store") for part in path.parts):
            leftovers += 1
            continue
        if entry.kind == "link":
            refuse(archive, f"{shortened(entry.name)} is a link; links are never unpacked")
        if entry.kind == "special":
            refuse(archive, f"{shortened(entry.name)} is a device, pipe or other special file")
        if not path.parts and entry.kind == "file":
            refuse(archive, f"{shortened(entry.name)} names the folder itself, and is a file")
        if not path.parts:
            continue
        for parent in path.parents:
            _take(archive, taken, parent, False)
        _take(archive, taken, path, entry.kind == "file")
        if entry.kind == "folder":
            continue
        files[entry.name] = Member(path, entry.size, entry.crc)
        allowance.take(archive, entry.size)
    return files, leftovers


def _take(archive: Path, taken: dict[str, tuple[PurePosixPath, bool]], path: PurePosixPath, is_file: bool) -> None:
    """Record a path as a file or folder; refuse one that is both, a file twice, or another spelling of a path."""
    earlier, was_file = taken.setdefault(unicodedata.normalize("NFC", str(path)).casefold(), (path, is_file))
    if earlier != path:
        refuse(
            archive,
            f"{shortened(str(path))} and {shortened(str(earlier))} are one name on file systems that ignore case",
        )
    if was_file != is_file:
        refuse(archive, f"{shortened(str(path))} is a file and a folder")
    if is_file and earlier is not path:
        refuse(archive, f"{shortened(str(path))} is in it twice")


def _path(archive: Path, name: str) -> PurePosixPath:
    """Return the path of a member below the folder, empty for the folder itself (`./`)."""
    reason = unsafe_path(name)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if reason is None and any(part.endswith(UNFINISHED) for part in parts):
        reason = f"a name that ends in {UNFINISHED}, which is reserved for unfinished files"
    if reason is None and any(part.startswith(".") and part.endswith(LISTING) for part in parts):
        reason = f"a hidden name that ends in {LISTING}, which is reserved for lists of unpacked files"
    if reason:
        refuse(archive, f"{shortened(name)} is {reason}")
    return PurePosixPath(*parts)
