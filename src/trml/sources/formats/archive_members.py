"""List and check the members of a zip, tar or tar.gz, from its first byte to its last, before anything is written.

Threat model: archives come from the network and are not trusted. Refused are links, special files, paths out of the
folder, names that collide, members that overlap, and archives that unpack to far more than their size.
"""

import errno
import gzip
import lzma
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, NoReturn

from trml.base.errors import ArchiveRefused
from trml.base.progress import Meter
from trml.sources.formats.filetype import content_of, described
from trml.sources.formats.limits import MEMBERS, disk_for
from trml.sources.formats.names import unsafe_path

CHUNK = 1 << 20

UNFINISHED = ".part"

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Entry:
    """An entry as the archive states it.

    Attributes:
        name: As it is written in the archive.
        kind: What it is.
        size: Unpacked, in bytes.
        crc: Checksum, None in a tar.
        open: Return its bytes; only while `entries` is being iterated.
    """

    name: str
    kind: Literal["file", "folder", "link", "special"]
    size: int
    crc: int | None
    open: Callable[[], IO[bytes]]


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


def refuse(archive: Path, reason: str) -> NoReturn:
    """Raise ArchiveRefused with the archive and the reason."""
    raise ArchiveRefused(f"{archive} is refused: {reason}")


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
            refuse(archive, f"{entry.name!r} is a link; links are never unpacked")
        if entry.kind == "special":
            refuse(archive, f"{entry.name!r} is a device, pipe or other special file")
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
        refuse(archive, f"{str(path)!r} and {str(earlier)!r} are one name on file systems that ignore case")
    if was_file != is_file:
        refuse(archive, f"{str(path)!r} is a file and a folder")
    if is_file and earlier is not path:
        refuse(archive, f"{str(path)!r} is in it twice")


def _path(archive: Path, name: str) -> PurePosixPath:
    """Return the path of a member below the folder, empty for the folder itself (`./`)."""
    reason = unsafe_path(name)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if reason is None and any(part.endswith(UNFINISHED) for part in parts):
        reason = f"a name that ends in {UNFINISHED}, which is reserved for unfinished files"
    if reason:
        refuse(archive, f"{name[:80]!r} is {reason}")
    return PurePosixPath(*parts)


def entries(archive: Path) -> Iterator[Entry]:
    """Yield all entries in the archive's order. Its first bytes decide how it is read, not its name.

    Raises:
        ArchiveRefused: If it is damaged or not an archive.
    """
    content = content_of(archive)
    with readable(archive):
        if content == "a zip archive":
            yield from _zip_entries(archive)
        elif content == "a gzip file":
            with gzip.open(archive) as stream:
                inside = described(stream.read(512))
                if inside != "a tar archive":
                    refuse(archive, f"it is a gzip file of {inside}; expected zip, tar or tar.gz")
                stream.seek(0)
                yield from _tar_entries(archive, _Forward(archive, stream, skip=None))
        elif content == "a tar archive":
            with archive.open("rb") as file:
                yield from _tar_entries(archive, _Forward(archive, file, skip=file.seek))
        else:
            refuse(archive, f"it is {content}; expected zip, tar or tar.gz")


_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,  # names in another encoding than stated, malformed numbers
    OverflowError,
)


@contextmanager
def readable(archive: Path) -> Iterator[None]:
    """Turn what libraries raise for a damaged archive into ArchiveRefused with one line."""
    try:
        yield
    except _DAMAGE as error:
        _damaged(archive, error)
    except NotImplementedError as error:
        refuse(archive, f"it cannot be read ({error})")
    except OSError as error:
        if error.errno not in (
            None,
            errno.EINVAL,
        ):  # of the disk; EINVAL: a seek before the start
            raise
        _damaged(archive, error)


def _damaged(archive: Path, error: Exception) -> NoReturn:
    reason = (str(error).splitlines() or [""])[0] or type(error).__name__
    raise ArchiveRefused(f"{archive} is damaged ({reason}). Fetch it again") from None


# --- zip -------------------------------------------------------------------------------------------------


def _zip_entries(archive: Path) -> Iterator[Entry]:
    if (count := _declared_members(archive)) > MEMBERS:
        refuse(archive, f"it has {count} members; expected at most {MEMBERS}")
    with zipfile.ZipFile(archive) as file:
        end = file.start_dir
        for info in sorted(file.infolist(), key=lambda info: -info.header_offset):
            if info.header_offset + 30 + len(info.orig_filename) + info.compress_size > end:
                refuse(archive, f"{info.orig_filename!r} overlaps with what comes after it")
            end = info.header_offset
        for info in file.infolist():
            if info.flag_bits & 1:
                refuse(archive, f"{info.orig_filename!r} is encrypted")
            is_folder = info.orig_filename.endswith("/")  # `is_dir` fails on a name without characters
            kind: Literal["file", "folder", "link", "special"] = "folder" if is_folder else "file"
            mode = stat.S_IFMT(info.external_attr >> 16)
            if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "link" if mode == stat.S_IFLNK else "special"
            yield Entry(info.orig_filename, kind, info.file_size, info.CRC, lambda info=info: file.open(info))  # type: ignore[misc]


def _declared_members(archive: Path) -> int:
    """Return how many members the list at the end of a zip states or has, before zipfile makes objects of them."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        start = max(0, size - 65_600)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            return 0  # zipfile reports what is wrong
        count, length = struct.unpack_from("<HI", tail, at + 10)
        large = tail.rfind(b"PK\x06\x06", 0, at)
        if large >= 0 and len(tail) >= large + 48:
            count, length = struct.unpack_from("<QQ", tail, large + 32)
            at = large
        file.seek(max(0, start + at - length))
        return max(int(count), file.read(min(length, size)).count(b"PK\x01\x02"))


# --- tar -------------------------------------------------------------------------------------------------


class _Strict(tarfile.TarInfo):
    """A tar header that is strict: a damaged header and a missing end marker are errors.

    tarfile takes both for the end of the archive.
    """

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Strict":
        at = tarfile_.offset
        try:
            entry = super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the blocks that mark the end
                raise
            raise tarfile.ReadError(f"no header at byte {at}: {error}") from None
        if entry.size < 0:
            raise tarfile.ReadError(f"negative size at byte {at}")
        return entry


class _Forward:
    """A stream for tarfile that only goes forward, in small pieces, up to the bytes that the archive may unpack to.

    `skip` passes over bytes without reading them, if the stream can do that.
    """

    def __init__(self, archive: Path, stream: Any, skip: Callable[[int], int] | None) -> None:
        self.archive, self.stream, self.skip, self.at = archive, stream, skip, 0
        self.most = disk_for(archive)

    def tell(self) -> int:
        return self.at

    def read(self, size: int) -> bytes:
        if not 0 <= size <= CHUNK:
            refuse(self.archive, f"it has a header of {size} bytes at byte {self.at}")
        data: bytes = self.stream.read(size)
        self.at += len(data)
        if self.at > self.most:
            refuse(self.archive, f"it unpacks to more than {self.most} bytes")
        return data

    def seek(self, offset: int) -> None:
        if offset < self.at:
            raise tarfile.ReadError(f"it goes back from byte {self.at} to {offset}")
        if self.skip is not None:
            self.at = self.skip(offset)
        while self.at < offset and self.read(min(CHUNK, offset - self.at)):
            pass


def _tar_entries(archive: Path, stream: _Forward) -> Iterator[Entry]:
    packed = archive.stat().st_size
    meter = Meter(f"MB of {archive.name} read", packed >> 20)
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Strict) as file:  # type: ignore[call-overload]
        while (entry := file.next()) is not None:
            file.members.clear()  # tarfile would keep them all in memory
            kind: Literal["file", "folder", "link", "special"] = "special"
            if entry.isdir():
                kind = "folder"
            elif entry.issym() or entry.islnk():
                kind = "link"
            elif entry.isreg() and not entry.issparse():
                kind = "file"
            yield Entry(entry.name, kind, entry.size, None, lambda entry=entry: file.extractfile(entry))  # type: ignore
            meter.update(stream.stream.fileobj.tell() >> 20 if stream.skip is None else stream.at >> 20)
    while stream.skip is None and stream.read(CHUNK):  # to the end, where gzip stores its checksum
        pass
