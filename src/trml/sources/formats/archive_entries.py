"""List the entries of a zip, tar or tar.gz from its first byte to its last, as the archive states them.

Libraries read on where an archive is damaged, hides entries or packs them by a method that takes any amount of memory.
Here all of that is an error: what is listed is what the archive holds.
"""

import errno
import gzip
import lzma
import mmap
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, cast

from trml.base.errors import ArchiveRefused
from trml.base.printable import one_line, shortened
from trml.base.progress import Meter
from trml.sources.formats.filetype import content_of, described
from trml.sources.formats.limits import MEMBERS, disk_for

CHUNK = 1 << 20

Kind = Literal["file", "folder", "link", "special"]

_SHOWN = 200  # characters of what a library says, which may quote names

_STORED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take any amount of memory, LZMA 4 GiB

_METHODS = {9: "deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma", 93: "zstandard", 95: "xz"}


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
    kind: Kind
    size: int
    crc: int | None
    open: Callable[[], IO[bytes]]


def refuse(archive: Path, reason: str) -> NoReturn:
    """Raise ArchiveRefused with the archive and the reason."""
    raise ArchiveRefused(f"{archive} is refused: {reason}")


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
    LookupError,  # what tarfile and zipfile do not foresee in a crafted header
    AttributeError,
    TypeError,
    AssertionError,
    RecursionError,
    MemoryError,
)


@contextmanager
def readable(archive: Path) -> Iterator[None]:
    """Turn what libraries raise for a damaged archive into ArchiveRefused with one line."""
    try:
        yield
    except _DAMAGE as error:
        _damaged(archive, error)
    except NotImplementedError as error:
        refuse(archive, f"it cannot be read ({one_line(str(error)[:_SHOWN])})")
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # of the disk; EINVAL: a seek before the start
            raise
        _damaged(archive, error)


def _damaged(archive: Path, error: Exception) -> NoReturn:
    reason = (str(error).splitlines() or [""])[0][:_SHOWN] or type(error).__name__
    raise ArchiveRefused(f"{archive} is damaged ({one_line(reason)}). Fetch it again") from None


# --- zip -------------------------------------------------------------------------------------------------


def _zip_entries(archive: Path) -> Iterator[Entry]:
    stated, listed = _declared_members(archive)
    if max(stated, listed) > MEMBERS:
        refuse(archive, f"it has {max(stated, listed)} members; expected at most {MEMBERS}")
    with zipfile.ZipFile(archive) as file:
        _check_list(archive, file, stated)
        for info in file.infolist():
            name = info.orig_filename
            if info.flag_bits & 1:
                refuse(archive, f"{shortened(name)} is encrypted")
            if info.compress_type not in _STORED:
                method = _METHODS.get(info.compress_type, "unknown")
                words = f"{shortened(name)} is packed by method {info.compress_type} ({method})"
                refuse(archive, f"{words}; expected stored or deflated")
            is_folder = name.endswith("/")  # `is_dir` fails on a name without characters
            kind: Kind = "folder" if is_folder else "file"
            mode = stat.S_IFMT(info.external_attr >> 16)
            if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "link" if mode == stat.S_IFLNK else "special"
            yield Entry(name, kind, info.file_size, info.CRC, lambda info=info: file.open(info))  # type: ignore[misc]


def _check_list(archive: Path, file: zipfile.ZipFile, stated: int) -> None:
    """Refuse a zip whose list is not of all that it holds: zipfile takes any list, also one in a comment."""
    found = file.infolist()
    if len(found) % 0x10000 != stated % 0x10000:  # old writers state large numbers so
        raise zipfile.BadZipFile(f"its list states {stated} members and has {len(found)}")
    if file.start_dir == 0:
        return
    ordered = sorted(found, key=lambda info: info.header_offset)
    starts = [*(info.header_offset for info in ordered), file.start_dir]
    with archive.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _check_gap(content, 0, starts[0])
        for info, start, following in zip(ordered, starts, starts[1:], strict=False):
            name, extra = struct.unpack_from("<HH", content, start + 26)
            end = start + 30 + name + extra + info.compress_size
            if end > following:
                refuse(archive, f"{shortened(info.orig_filename)} overlaps with what comes after it")
            _check_gap(content, end, following)


def _check_gap(content: mmap.mmap, start: int, end: int) -> None:
    """Raise BadZipFile if a member begins between those that are listed."""
    if (at := content.find(b"PK\x03\x04", start, end)) >= 0:
        raise zipfile.BadZipFile(f"a member at byte {at} is not in its list")


def _declared_members(archive: Path) -> tuple[int, int]:
    """Return how many members the list at the end of a zip states and has, before zipfile makes objects of them."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        start = max(0, size - 65_600)
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            return 0, 0  # zipfile reports what is wrong
        count, length = struct.unpack_from("<HI", tail, at + 10)
        large = tail.rfind(b"PK\x06\x06", 0, at)
        if large >= 0 and len(tail) >= large + 48:
            count, length = struct.unpack_from("<QQ", tail, large + 32)
            at = large
        file.seek(max(0, start + at - length))
        return int(count), file.read(min(length, size)).count(b"PK\x01\x02")


# --- tar -------------------------------------------------------------------------------------------------

_HEADER = 1 << 18  # bytes of a file's header, with all that extend it

_GLOBAL = 1 << 16  # characters of the headers that hold for all files that follow


class _Strict(tarfile.TarInfo):
    """A tar header that is strict: a damaged header and a missing end marker are errors.

    tarfile takes both for the end of the archive.
    """

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Strict":
        at, stream = tarfile_.offset, cast(_Forward, tarfile_.fileobj)
        outermost, stream.of_header = stream.of_header is None, stream.of_header or 0
        try:
            entry = super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":  # the blocks that mark the end
                raise
            raise tarfile.ReadError(f"no header at byte {at}: {error}") from None
        finally:
            if outermost:
                stream.of_header = None
        if entry.size < 0:
            raise tarfile.ReadError(f"negative size at byte {at}")
        return entry


class _Forward:
    """A stream for tarfile that only goes forward, in small pieces, up to the bytes that the archive may unpack to.

    `skip` passes over bytes without reading them, if the stream can do that. `of_header` counts the bytes of a header
    while it is read, with all that extend it: tarfile makes objects of them.
    """

    def __init__(self, archive: Path, stream: Any, skip: Callable[[int], int] | None) -> None:
        self.archive, self.stream, self.skip, self.at = archive, stream, skip, 0
        self.most = disk_for(archive)
        self.of_header: int | None = None

    def tell(self) -> int:
        return self.at

    def read(self, size: int) -> bytes:
        if self.of_header is not None:
            self.of_header += size
        if not 0 <= size <= CHUNK:
            refuse(self.archive, f"it has a header of {size} bytes at byte {self.at}")
        if (self.of_header or 0) > _HEADER:
            refuse(self.archive, f"it has a file with more than {_HEADER} bytes of headers, up to byte {self.at}")
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
            if file.pax_headers and sum(len(key) + len(value) for key, value in file.pax_headers.items()) > _GLOBAL:
                raise tarfile.ReadError(f"its global headers have more than {_GLOBAL} characters")
            kind: Kind = "special"
            if entry.isdir():
                kind = "folder"
            elif entry.issym() or entry.islnk():
                kind = "link"
            elif entry.isreg() and not entry.issparse():
                kind = "file"
            yield Entry(entry.name, kind, entry.size, None, lambda entry=entry: file.extractfile(entry))  # type: ignore
            meter.update(stream.stream.fileobj.tell() >> 20 if stream.skip is None else stream.at >> 20)
    while rest := stream.read(CHUNK):  # to the end, where gzip stores its checksum
        if rest.strip(b"\0"):
            at = stream.at - len(rest.lstrip(b"\0"))
            raise tarfile.ReadError(f"more follows its end, at byte {at}: two archives in one file, or a damaged one")
