"""Read arrays of an .npz one by one, without pickles."""

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

from trml.base.errors import ContractError

_FORMAT = np.lib.format

_HEADER = 30  # bytes of a zip's header before a member's name

_RATIO = 200

_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError, ValueError, TypeError,
    SyntaxError, EOFError, OSError, OverflowError, RuntimeError, NotImplementedError, MemoryError,
)  # fmt: skip


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
        self.path = path
        try:
            with zipfile.ZipFile(path) as file:
                self.members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
        except _DAMAGE as error:
            raise ContractError(f"{path} is damaged ({error}); expected an .npz of arrays") from None

    def read(self, name: str) -> NDArray[Any]:
        """Return an array; raise ContractError if it is absent, holds objects, or has another size than it states."""
        if name not in self.members:
            names = ", ".join(sorted(self.members))[:200]
            raise ContractError(f"{self.path}: there is no array {name!r}; it has {names}")
        info = self.members[name]
        try:
            with zipfile.ZipFile(self.path) as file, file.open(info) as member:
                version = _FORMAT.read_magic(member)
                read_header = _FORMAT.read_array_header_1_0 if version == (1, 0) else _FORMAT.read_array_header_2_0
                shape, fortran, dtype = read_header(member)
                at, size = member.tell(), prod(shape) * dtype.itemsize
                if dtype.hasobject:
                    self._refuse(name, "it holds objects; expected numbers or strings")
                if info.file_size != at + size or info.file_size > max(1 << 24, _RATIO * info.compress_size):
                    self._refuse(name, f"states {list(shape)} of {dtype}, {size} bytes; {info.file_size - at} follow")
                if info.compress_type != zipfile.ZIP_STORED or size == 0:
                    array = np.frombuffer(member.read(), dtype).reshape(shape, order="F" if fortran else "C")
                    return array
        except _DAMAGE as error:
            self._refuse(name, f"it cannot be read ({(str(error).splitlines() or [''])[0]})")
        return np.memmap(self.path, dtype, "r", self._data(info) + at, shape, order="F" if fortran else "C")

    def _data(self, info: zipfile.ZipInfo) -> int:
        """Return the offset of a stored member's bytes in the file."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(_HEADER)
        return info.header_offset + _HEADER + sum(int.from_bytes(header[i : i + 2], "little") for i in (26, 28))

    def _refuse(self, name: str, reason: str) -> NoReturn:
        raise ContractError(f"{self.path}: array {name!r}: {reason}")
