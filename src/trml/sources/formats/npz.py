"""Read arrays of an .npz one by one, without pickles. Every byte that is read is held to its checksum."""

import lzma
import struct
import tokenize
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from trml.base.confined import memory_for
from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.base.printable import one_line, shortened
from trml.sources.formats.limits import MEMBERS

_FORMAT = np.lib.format

_HEADER = 30  # bytes of a zip's header before a member's name

_CHUNK = 1 << 20

_SHOWN = 200  # characters of what a library says

_STORED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError, ValueError, TypeError,
    SyntaxError, EOFError, OSError, OverflowError, RuntimeError, NotImplementedError, MemoryError,
)  # fmt: skip


def _said(words: str) -> str:
    """Return what a library says, which may quote the file, in one line of limited length."""
    return one_line(words[:_SHOWN])


def is_npz(path: Path) -> bool:
    """Return whether a file is a zip archive of arrays, whatever its name."""
    try:
        with zipfile.ZipFile(path) as file:
            return any(name.endswith(".npy") for name in file.namelist())
    except _DAMAGE:
        return path.suffix == ".npz"


class Npz:
    """The arrays of a file by name. Uncompressed ones, as numpy.savez writes them, are memory-mapped."""

    def __init__(self, path: Path) -> None:
        self.path, self.members = path, dict[str, zipfile.ZipInfo]()
        if (kind := not_a_file(path)) is not None:
            raise ContractError(f"{path} {kind}; expected an .npz of arrays")
        try:
            with zipfile.ZipFile(path) as file:
                listed = file.infolist()
        except _DAMAGE as error:
            raise ContractError(f"{path} is damaged ({_said(str(error))}); expected an .npz of arrays") from None
        if len(listed) > MEMBERS:
            raise ContractError(f"{path} has {len(listed):,} members; expected at most {MEMBERS:,}")
        for info in listed:
            name = info.filename.removesuffix(".npy")
            if name in self.members:
                raise ContractError(f"{path}: array {shortened(name)} is there twice; expected each name once")
            self.members[name] = info
        self.left = memory_for(path)  # bytes that compressed members may unpack to

    def read(self, name: str) -> NDArray[Any]:
        """Return an array; raise ContractError if it is absent, holds objects, or has another size than it states."""
        if name not in self.members:
            names = one_line(", ".join(sorted(self.members))[:200])
            raise ContractError(f"{self.path}: there is no array {name!r}; it has {names}")
        info = self.members[name]
        if info.compress_type not in _STORED:
            self._refuse(name, "it is compressed by another method than numpy's")
        try:
            with zipfile.ZipFile(self.path) as file, file.open(info) as member:
                version = _FORMAT.read_magic(member)
                read_header = _FORMAT.read_array_header_1_0 if version == (1, 0) else _FORMAT.read_array_header_2_0
                shape, fortran, dtype = read_header(member)
                at, size = member.tell(), prod(shape) * dtype.itemsize
                if dtype.hasobject:
                    self._refuse(name, "it holds objects; expected numbers or strings")
                is_sound = min(shape, default=0) >= 0 and (dtype.itemsize > 0 or prod(shape) == 0)
                if info.file_size != at + size or not is_sound:
                    self._refuse(
                        name, f"states {_said(f'{list(shape)} of {dtype}')}, {size} bytes; {info.file_size - at} follow"
                    )
                order: Any = "F" if fortran else "C"
                if info.compress_type == zipfile.ZIP_STORED and size > 0:
                    if info.compress_size != info.file_size:
                        self._refuse(name, "it is stored, and its two sizes differ")
                    while member.read(_CHUNK):  # zipfile compares the checksum at the end
                        pass
                    return np.memmap(self.path, dtype, "r", self._data(info) + at, shape, order=order)
                self.left -= size
                if self.left < 0:
                    self._refuse(
                        name, f"unpacks to {size:,} bytes; reading the file may take {memory_for(self.path):,}"
                    )
                return np.frombuffer(member.read(), dtype).reshape(shape, order=order)
        except _DAMAGE as error:
            reason = _said((str(error).splitlines() or [""])[0]) or type(error).__name__
            self._refuse(name, f"it cannot be read ({reason})")

    def _data(self, info: zipfile.ZipInfo) -> int:
        """Return the offset of a stored member's bytes in the file."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(_HEADER)
        return info.header_offset + _HEADER + sum(int.from_bytes(header[i : i + 2], "little") for i in (26, 28))

    def _refuse(self, name: str, reason: str) -> NoReturn:
        raise ContractError(f"{self.path}: array {name!r}: {reason}")
