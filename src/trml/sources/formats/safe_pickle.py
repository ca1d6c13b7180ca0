"""Read pickles of numpy arrays and plain containers without running any code.

A pickle is a program for a small machine. This module runs the standard library's machine with only the instructions
that data need. No function of numpy or of any other package is within its reach: each allowed name stands for a
function of this project that checks its arguments (pickle_arrays.py). Every other name is refused. What each
instruction allocates is counted, since a byte of a pickle may stand for a copy of all that came before it.
"""

import mmap
import pickle
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from trml.base.confined import memory_for
from trml.base.errors import DataMissing, PickleRefused
from trml.base.files import not_a_file
from trml.base.printable import one_line
from trml.sources.formats.filetype import content_of, may_be_pickle
from trml.sources.formats.limits import STEPS
from trml.sources.formats.pickle_arrays import ADMITTED, Admitted, Array, Dtype, Refused, check_keys

_DAMAGE = (
    pickle.UnpicklingError,
    struct.error,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    OverflowError,
    AssertionError,
    SystemError,  # a text with characters beyond Unicode
    RecursionError,
    MemoryError,
)

_REMEDY = "only numpy arrays and plain containers are allowed; save the arrays with numpy.savez instead"

_DEPTH = 64

_SHOWN = 200  # characters of what the machine says, which may quote the file

_IN_PLACE = 1 << 16  # byte strings of this length and more stay in the file's memory map

# The instructions that data need. Not here: EXT1-4, PERSID, BINPERSID, INST, OBJ, NEWOBJ, NEWOBJ_EX, NEXT_BUFFER,
# READONLY_BUFFER, LONG4 (integers of more than 255 bytes) and FROZENSET.
_OF_DATA = """
    PROTO FRAME STOP MARK POP POP_MARK DUP PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET MEMOIZE NONE NEWTRUE NEWFALSE
    INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE
    SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_LIST LIST APPEND APPENDS
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS EMPTY_SET ADDITEMS
    GLOBAL STACK_GLOBAL REDUCE BUILD
"""

_OPCODES = frozenset(_OF_DATA.split())

# What instructions take of memory beside the object that they put on the stack, in bytes. A container is copied and
# remembered once more when its arrays are put in place (`_plain`), and an item has a slot in each copy.
_SLOT, _ITEM, _REMEMBERED, _CONTAINER = 16, 32, 112, 400
_EMPTY = ("EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_DICT", "EMPTY_SET")
_CONTAINERS = (*_EMPTY, "LIST", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "DICT", "REDUCE")
_REMEMBERS = ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "MARK")
_TAKES = {
    **dict.fromkeys(_REMEMBERS, _REMEMBERED),
    **dict.fromkeys(_CONTAINERS, _CONTAINER),
    "APPEND": _ITEM,
    "SETITEM": 4 * _ITEM,
}
_AN_ITEM_TAKES = {
    **dict.fromkeys(("APPENDS", "LIST", "TUPLE"), _ITEM),
    **dict.fromkeys(("SETITEMS", "DICT"), 2 * _ITEM),
    "ADDITEMS": 4 * _ITEM,
}
_VALUES = """
    INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE
    SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
"""
_MAKES = frozenset((*_VALUES.split(), *_CONTAINERS))

_NAMES = {code[0]: name for name, code in vars(pickle).items() if isinstance(code, bytes) and len(code) == 1}


def load_pickle(path: Path) -> Any:
    """Return the value of a pickle.

    Allowed are None, bool, int, float, complex, str, bytes, list, tuple, set, dict (also OrderedDict and defaultdict,
    which are returned as dict), and numpy arrays, scalars and dtypes. Large arrays are read-only views of the file.
    Byte strings of Python 2 are read as latin1.

    Raises:
        DataMissing: If there is no file.
        PickleRefused: If the pickle holds anything else, is damaged, or is not a pickle.
    """
    if (kind := not_a_file(path)) is not None:
        raise DataMissing(f"{path} {kind}. Put the pickle there")
    content = content_of(path)
    if not may_be_pickle(content):
        raise PickleRefused(f"{path} is {content}; expected a pickle of arrays")
    with path.open("rb") as file:
        source = _Source(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    machine = _Machine(source, memory_for(path))
    try:
        value, _ = _plain(machine.load(), 0, {}, memory_for(path))
        if source.at != len(source.view):
            raise Refused(f"{len(source.view) - source.at} bytes follow its end")
    except Refused as refusal:
        raise PickleRefused(f"{path} is refused: {refusal} ({machine.place}); {_REMEDY}") from None
    except _DAMAGE as error:
        reason = one_line((str(error).splitlines() or [""])[0][:_SHOWN]) or type(error).__name__
        raise PickleRefused(f"{path} is damaged or not a pickle ({reason}; {machine.place})") from None
    return value


def _plain(value: Any, depth: int, seen: dict[int, tuple[Any, int]], most: int) -> tuple[Any, int]:
    """Replace the stand-ins in a value by arrays; return it and its size in bytes.

    A container that is referred to twice counts twice, because a reader of the value visits it twice.
    """
    if depth > _DEPTH:
        raise Refused(f"it nests deeper than {_DEPTH}")
    if value is None or isinstance(value, int | float | complex | np.generic):
        return value, 8
    if isinstance(value, str | bytes):
        return value, 8 + len(value)
    if isinstance(value, Dtype):
        return value.dtype, 8
    if isinstance(value, Array) and value.value is not None:
        return value.value, value.value.nbytes + 8
    if id(value) in seen:
        return seen[id(value)]
    items: list[Any] = []
    weight = 8 + (len(value) if isinstance(value, memoryview) else 0)
    for each in _items(value):
        item, size = _plain(each, depth + 1, seen, most)
        items.append(item)
        weight += size
        if weight > most:
            raise Refused(f"it unfolds to more than {most} bytes")
    seen[id(value)] = _refilled(value, items), weight
    return seen[id(value)]


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, memoryview):
        return ()
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple | set):
        return value
    if isinstance(value, Array) and value.objects is not None:
        return value.objects
    raise Refused(f"it holds {value.name} itself" if isinstance(value, Admitted) else "it holds an array without data")


def _refilled(value: Any, items: list[Any]) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return dict(zip(value, items, strict=True))
    if isinstance(value, Array):
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):  # or numpy makes an array of arrays
            array[i] = item
        return array.reshape(value.shape)
    return type(value)(items)


class _Source:
    """The file as the machine reads it. A declared size beyond its end is refused before anything is allocated."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory, self.view, self.at = memory, memoryview(memory), 0

    def read(self, size: int) -> Any:
        """Return bytes, or a view if they are many."""
        left = len(self.view) - self.at
        if size > left:
            raise Refused(f"it declares {size} bytes and has {left}") if left else EOFError("it is cut off")
        piece = self.view[self.at : self.at + size]
        self.at += size
        return piece if size >= _IN_PLACE else bytes(piece)

    def readline(self) -> bytes:
        """Return a line: old protocols write numbers and names as lines."""
        line = self.memory[self.at : self.memory.find(b"\n", self.at) + 1 or len(self.memory)]
        self.at += len(line)
        return line


_Unpickler: Any = pickle._Unpickler  # the one written in Python: its instructions can be replaced


class _Machine(_Unpickler):
    """The standard library's machine with the instructions of _OPCODES."""

    def __init__(self, source: _Source, most: int) -> None:
        super().__init__(source, encoding="latin1")
        self.source, self.opcode, self.steps = source, "start", 0
        self.taken, self.most = 0, most  # bytes of memory

    @property
    def place(self) -> str:
        return f"{self.opcode} before byte {self.source.at}"

    def find_class(self, module: str, name: str) -> Admitted:
        admitted = ADMITTED.get((module, name))
        if admitted is None:
            raise Refused(f"it asks for {f'{module}.{name}'!r:.120}")
        return admitted

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Admitted) or type(arguments) is not tuple:
            raise Refused(f"it calls something of type {type(function).__name__}")
        self.stack.append(function.make(*arguments))

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Array | Dtype):
            raise Refused(f"it sets the state of something of type {getattr(target, 'name', type(target).__name__)}")
        target.build(state)

    def load_bytearray8(self) -> None:
        self.append(self.read(int.from_bytes(self.read(8), "little")))

    def load_setitem(self) -> None:
        check_keys([self.stack[-2]])
        super().load_setitem()

    def load_setitems(self) -> None:
        check_keys(self.stack[0::2])
        super().load_setitems()

    def load_dict(self) -> None:
        check_keys(self.stack[0::2])
        super().load_dict()

    def load_additems(self) -> None:
        check_keys(self.stack)
        super().load_additems()

    def _decode_string(self, value: Any) -> Any:
        return value if isinstance(value, memoryview) else value.decode("latin1")


class _Instructions(dict[int, Callable[[_Machine], None]]):
    """The machine's instructions by their byte. Each records its name, so that a refusal can name it."""

    def __missing__(self, code: int) -> NoReturn:
        if code in _NAMES:
            raise Refused(f"it has the instruction {_NAMES[code]}, which no data need")
        raise pickle.UnpicklingError(f"{code:#04x} is not an instruction")


def _noted(name: str, handler: Callable[[_Machine], None]) -> Callable[[_Machine], None]:
    takes, an_item, makes = _SLOT + _TAKES.get(name, 0), _AN_ITEM_TAKES.get(name, 0), name in _MAKES

    def run(machine: _Machine) -> None:
        machine.opcode = name
        machine.steps += 1
        if machine.steps > STEPS:
            raise Refused(f"it has more than {STEPS:,} instructions")
        machine.taken += takes + an_item * len(machine.stack)
        handler(machine)
        if makes:
            machine.taken += sys.getsizeof(machine.stack[-1])
        if machine.taken > machine.most:
            raise Refused(f"it takes more than {machine.most:,} bytes of memory")

    return run


def _handler(code: int) -> Callable[[_Machine], None]:
    handler: Callable[[_Machine], None] = getattr(_Machine, _Unpickler.dispatch[code].__name__)
    return handler


_Machine.dispatch = _Instructions({c: _noted(name, _handler(c)) for c, name in _NAMES.items() if name in _OPCODES})
