"""Stand-ins for numpy's functions while a pickle is read: they return the same arrays and check every size and type.

numpy's own functions trust their arguments. With a crafted dtype they would treat bytes as pointers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trml.base.printable import shortened

_TYPES = re.compile(r"[?biufcSUO]\d{0,7}")


class Refused(Exception):
    """A pickle needs something that is not allowed."""


def require(condition: bool, reason: str) -> None:
    """Raise Refused unless the condition holds."""
    if not condition:
        raise Refused(reason)


@dataclass(frozen=True, eq=False)
class Admitted:
    """The stand-in for a name in a pickle. It has no attribute that an instruction could set."""

    __slots__ = ("make", "name")
    name: str
    make: Callable[..., Any]


@dataclass(eq=False)
class Dtype:
    """A dtype of numbers or strings."""

    dtype: np.dtype[Any]

    def build(self, state: Any) -> None:
        """Set the byte order from the state that numpy pickles: version, order, no fields, sizes, flags."""
        require(
            type(state) is tuple and len(state) in (8, 9) and state[0] in (3, 4),
            "a dtype's state is not as numpy writes it",
        )
        require(
            state[2:5] == (None, None, None) and not any(state[8:]),
            "it has a dtype with fields; expected plain numbers or strings",
        )
        require(state[1] in ("<", ">", "=", "|"), "a dtype has no byte order")
        if self.dtype.kind in "SU" and self.dtype.itemsize == 0:
            require(type(state[5]) is int and 0 <= state[5] < 10**7, "a dtype has no size")
            self.dtype = np.dtype(f"{self.dtype.kind}{state[5] // (4 if self.dtype.kind == 'U' else 1)}")
        require(state[5] in (-1, self.dtype.itemsize), "a dtype's state has another size than its name")
        self.dtype = self.dtype.newbyteorder(state[1])


@dataclass(eq=False)
class Array:
    """An array before and after its state is set. An array of objects stays a list until they are checked."""

    value: NDArray[Any] | None = None
    objects: list[Any] | None = None
    shape: tuple[int, ...] = ()
    order: str = "C"

    def build(self, state: Any) -> None:
        """Set the array from the state that numpy pickles: version, shape, dtype, order, bytes or list of objects."""
        require(type(state) is tuple and len(state) in (4, 5), "an array's state is not as numpy writes it")
        require(self.value is None and self.objects is None, "an array is built twice")
        *_, shape, dtype, fortran, data = state
        self.order = "F" if fortran else "C"
        self.shape = _shape(shape)
        if isinstance(dtype, Dtype) and dtype.dtype.kind == "O":
            require(
                type(data) is list and len(data) == prod(self.shape),
                "an array of objects lacks some of them",
            )
            self.objects = data
        else:
            self.value = _array(data, dtype, self.shape, self.order)


def _shape(shape: Any) -> tuple[int, ...]:
    require(
        type(shape) is tuple and len(shape) <= 8 and all(type(n) is int and 0 <= n < _KEY for n in shape),
        "an array has no valid shape",
    )
    return tuple(shape)


def _bytes(data: Any) -> Any:
    """Return bytes, also from the text that byte strings of Python 2 are read as."""
    if isinstance(data, str):
        try:
            return data.encode("latin1")
        except UnicodeEncodeError:
            raise Refused("an array's bytes are text with characters beyond latin1") from None
    require(isinstance(data, bytes | memoryview), f"an array's bytes are of type {type(data).__name__}")
    return data


def _array(data: Any, dtype: Any, shape: tuple[int, ...], order: str) -> NDArray[Any]:
    require(isinstance(dtype, Dtype) and dtype.dtype.kind != "O", "an array has no type of numbers or strings")
    data, size = _bytes(data), prod(shape) * dtype.dtype.itemsize
    require(dtype.dtype.itemsize > 0 or 0 in shape, "an array has many values of no bytes")
    require(
        len(data) == size, f"an array {shortened(list(shape))} of {dtype.dtype} takes {size} bytes; it has {len(data)}"
    )
    if size == 0:
        return np.empty(shape, dtype.dtype)
    return np.frombuffer(data, dtype.dtype).reshape(shape, order="F" if order == "F" else "C")


def _make_dtype(code: Any, align: Any = False, copy: Any = False) -> Dtype:
    require(
        isinstance(code, str) and _TYPES.fullmatch(code) is not None,
        f"it has a dtype {code!r:.40}; expected numbers or strings",
    )
    return Dtype(np.dtype(code))


def _reconstruct(kind: Any, shape: Any, code: Any) -> Array:
    require(kind is _NDARRAY, "it reconstructs something other than numpy.ndarray")
    return Array()


def _frombuffer(data: Any, dtype: Any, shape: Any, order: Any) -> Array:
    return Array(_array(data, dtype, _shape(shape), order))


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return _array(data, dtype, (1,), "C")[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    require(isinstance(text, str) and encoding in ("latin1", "latin-1"), "it encodes something other than bytes")
    return bytes(_bytes(text))


def _make_dict(pairs: Any = ()) -> dict[Any, Any]:
    require(isinstance(pairs, list | tuple), "it makes a dict of something other than pairs")
    require(
        all(isinstance(p, list | tuple) and len(p) == 2 for p in pairs), "it makes a dict of something other than pairs"
    )
    check_keys([key for key, _ in pairs])
    return {key: value for key, value in pairs}


def _make_defaultdict(factory: Any = None) -> dict[Any, Any]:
    require(factory is None or factory in _FACTORIES, "it has a defaultdict of something other than containers")
    return {}


def _make_set(items: Any = ()) -> set[Any]:
    require(isinstance(items, list | tuple), "it makes a set of something other than a list")
    check_keys(items)
    return set(items)


def _make_bytes(data: Any = b"", encoding: Any = "latin1") -> Any:
    return _encode(data, encoding) if isinstance(data, str) else bytes(_bytes(data))


def _make_complex(real: Any, imaginary: Any) -> complex:
    require(type(real) is float and type(imaginary) is float, "it makes a complex number of other values")
    return complex(real, imaginary)


def _not_made(*arguments: Any) -> None:
    raise Refused("it calls the stand-in for a type")


def check_keys(keys: Any) -> None:
    """Raise Refused unless all keys are plain values with different hashes, but for a few.

    Hashing a deeply nested tuple overflows the stack. Numbers that differ by multiples of 2^61 - 1 have one hash, and a
    dict of many of them takes time that grows with its square. Complex numbers of one hash are found as easily.
    """
    for key in keys:
        kind = type(key)
        require(
            isinstance(key, str | bytes | int | float | None | np.generic) and kind not in _NO_KEYS,
            f"a key of type {kind.__name__}; expected strings or numbers",
        )
        value = key.item() if isinstance(key, np.number) else key
        if isinstance(value, int | float):
            require(-_KEY <= value < _KEY, f"a key {shortened(value, 40)}; expected strings, or numbers within 64 bits")


_KEY = 1 << 63

_NO_KEYS = (np.longdouble, np.complex64, np.complex128, np.clongdouble)

_NDARRAY = Admitted("numpy.ndarray", _not_made)

_CONTAINERS = {name: Admitted(name, _not_made) for name in ("list", "dict", "int", "float", "str")}

_FACTORIES = tuple(_CONTAINERS.values())

_BUILTINS = {
    **_CONTAINERS,
    "set": Admitted("set", _make_set),
    "bytes": Admitted("bytes", _make_bytes),
    "bytearray": Admitted("bytearray", _make_bytes),
    "complex": Admitted("complex", _make_complex),
}

_OF_NUMPY: list[tuple[str, str, Callable[..., Any]]] = [
    ("multiarray", "_reconstruct", _reconstruct),
    ("multiarray", "scalar", _scalar),
    ("numeric", "_frombuffer", _frombuffer),
]

ADMITTED: dict[tuple[str, str], Admitted] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Admitted("numpy.dtype", _make_dtype),
    ("_codecs", "encode"): Admitted("_codecs.encode", _encode),
    ("collections", "OrderedDict"): Admitted("collections.OrderedDict", _make_dict),
    ("collections", "defaultdict"): Admitted("collections.defaultdict", _make_defaultdict),
    **{
        (f"numpy.{core}.{module}", name): Admitted(name, make)
        for core in ("core", "_core")
        for module, name, make in _OF_NUMPY
    },
    **{(module, name): made for module in ("builtins", "__builtin__") for name, made in _BUILTINS.items()},
}
