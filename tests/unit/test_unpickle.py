"""Pickles: arrays and plain containers come out as they went in, anything else is refused and nothing of it runs."""

import builtins
import collections
import datetime
import gzip
import io
import os
import pickle
import struct
import subprocess
import zipfile

import numpy as np
import pytest

from trml.base.errors import DataMissing, PickleRefused
from trml.sources.formats import safe_pickle as unpickle
from trml.sources.formats.safe_pickle import load_pickle

BIG = np.random.default_rng(0).normal(size=(30, 1000))  # 240 kB: large enough to be seen in place
VALUES = {
    "none": None,
    "numbers": [True, -1, 2**62, 10**40, 2.5, 1j],
    "strings": ("", "é", "x" * 300, b"", b"\x00\xff", b"y" * 70_000),
    "containers": {"a": [1, (2, [3])], "s": {1, "b"}, 5: {}},
    "f8": BIG,
    "f4": BIG.astype(np.float32)[:3, :4],
    "big endian": np.arange(5, dtype=">i4"),
    "fortran": np.asfortranarray(BIG[:3, :4]),
    "bool": np.array([[True], [False]]),
    "unicode": np.array(["video$_$1", "é"]),
    "bytes": np.array([[b"03bSnISJMiM_1", b"11.3", b"15.2"]]),
    "empty": np.empty((0, 50, 300), np.float32),
    "no dimensions": np.array(3.5),
    "scalar": np.float32(1.5),
    "text scalar": np.str_("abc"),
    "dtype": np.dtype("f4"),
}


@pytest.fixture
def write(tmp_path):
    """Write bytes to a file and give its path."""

    def write(content):
        (tmp_path / "x.pkl").write_bytes(content)
        return tmp_path / "x.pkl"

    return write


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", VALUES)
def test_round_trip(write, name, protocol):
    value, found = VALUES[name], load_pickle(write(pickle.dumps(VALUES[name], protocol)))
    if isinstance(value, np.ndarray):
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        np.testing.assert_array_equal(found, value)
    else:
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_containers_with_more_to_them_come_back_plain(write, protocol):
    value = [collections.OrderedDict(a=1, b=2), collections.defaultdict(list, {"k": [1]}), bytearray(b"x")]
    found = load_pickle(write(pickle.dumps(value, protocol)))
    assert found == [{"a": 1, "b": 2}, {"k": [1]}, b"x"]
    assert [type(each) for each in found] == [dict, dict, bytes]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_objects(write, protocol):
    value = np.empty((2, 2), dtype=object)
    value[:] = [["a", b"b"], [None, 3]]
    value[1, 0] = np.arange(3.0)
    found = load_pickle(write(pickle.dumps(value, protocol)))
    assert found.shape == (2, 2)
    assert found[0].tolist() == ["a", b"b"]
    np.testing.assert_array_equal(found[1, 0], np.arange(3.0))


def python_2(array):
    """The bytes that Python 2 writes for {'vision': array}: str keys and data, old names."""

    def text(value):
        return b"U" + bytes([len(value)]) + value

    dtype = b"cnumpy\ndtype\n(" + text(array.dtype.str[1:].encode()) + b"K\x00K\x01tR(K\x03" + text(b"<")
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = array.tobytes()
    shape = b"(" + b"".join(b"K" + bytes([n]) for n in array.shape) + b"t"
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text(b"b") + b"tR"
    return (
        b"\x80\x02}" + text(b"vision") + made + b"(K\x01" + shape + dtype
        + b"\x89T" + struct.pack("<i", len(data)) + data + b"tbs."
    )  # fmt: skip


@pytest.mark.parametrize("size", [3, 200])
def test_python_2(write, size):
    array = np.random.default_rng(0).normal(size=(size, 100)).astype(np.float32)
    content = python_2(array)
    assert pickle.Unpickler(io.BytesIO(content), encoding="latin1").load()["vision"].shape == array.shape
    np.testing.assert_array_equal(load_pickle(write(content))["vision"], array)


def test_large_arrays_stay_in_the_file(write):
    found = load_pickle(write(pickle.dumps({"vision": BIG}, 4)))["vision"]
    assert not found.flags.owndata
    assert not found.flags.writeable


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Plain:
    """A class of its own, whose instances pickle by NEWOBJ and BUILD."""

    def __init__(self):
        self.x = 1


def named(module, name, protocol=2):
    """A pickle that is this global: by GLOBAL, or by STACK_GLOBAL."""
    if protocol < 4:
        return f"\x80\x02c{module}\n{name}\n.".encode("latin1")
    texts = [b"\x8c" + bytes([len(t)]) + t for t in (module.encode(), name.encode())]
    return b"\x80\x04" + b"".join(texts) + b"\x93."


def of_objects(*items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def changed(value, old, new, protocol=4):
    content = pickle.dumps(value, protocol)
    assert old in content
    return content.replace(old, new)


def laughs():
    """Lists of ten references to the list before: 10^12 in all."""
    value = ["ha"] * 10
    for _ in range(12):
        value = [value] * 10
    return value


def cycle():
    value = []
    value.append(value)
    return value


def torch_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(1))
    return buffer.getvalue()


TOUCH = "touch canary"
NDARRAY = b"cnumpy\nndarray\n"
FRAME = b"\x80\x04\x95"
DTYPE = (
    b"cnumpy\ndtype\n(X\x02\x00\x00\x00%s\x89\x88tR(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
STATE = b"(K\x01(K\x02K\x02t" + DTYPE
RECONSTRUCT = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tX\x01\x00\x00\x00btR"
HOSTILE = {
    "os.system": (pickle.dumps(Calls(os.system, TOUCH)), "posix.system"),
    "os.system, protocol 0": (pickle.dumps(Calls(os.system, TOUCH), 0), "posix.system"),
    "subprocess": (pickle.dumps(Calls(subprocess.check_call, ["touch", "canary"])), "subprocess.check_call"),
    "eval": (pickle.dumps(Calls(builtins.eval, "open('canary', 'w')")), "builtins.eval"),
    "exec": (pickle.dumps(Calls(builtins.exec, "open('canary', 'w')")), "builtins.exec"),
    "open": (pickle.dumps(Calls(builtins.open, "canary", "w")), "io.open"),
    "getattr": (pickle.dumps(Calls(getattr, "x", "join")), "builtins.getattr"),
    "__import__": (named("builtins", "__import__"), "builtins.__import__"),
    "Python 2's eval": (named("__builtin__", "eval"), "__builtin__.eval"),
    "nested": (pickle.dumps({"train": [(1, Calls(os.system, TOUCH))]}), "posix.system"),
    "in an array of objects": (pickle.dumps(of_objects(1, Calls(os.system, TOUCH))), "posix.system"),
    "numpy.load": (named("numpy", "load"), "numpy.load"),
    "numpy.testing": (named("numpy.testing._private.utils", "runstring"), "numpy.testing._private.utils.runstring"),
    "numpy.f2py": (named("numpy.f2py", "compile"), "numpy.f2py.compile"),
    "numpy.distutils": (named("numpy.distutils.exec_command", "exec_command"), "exec_command"),
    "numpy.memmap": (named("numpy", "memmap"), "numpy.memmap"),
    "numpy._core's fromfile": (named("numpy._core.multiarray", "fromfile"), "numpy._core.multiarray.fromfile"),
    "dots in a name": (named("numpy", "dtype.__class__", 4), "numpy.dtype.__class__"),
    "os by dots": (named("os", "path.os.system", 4), "os.path.os.system"),
    "newline in a module": (named("numpy._core.multiarray\n", "_reconstruct", 4), "numpy._core.multiarray\\n"),
    "another's class": (pickle.dumps(Plain()), "Plain"),
    "datetime": (pickle.dumps(datetime.datetime(2020, 1, 1)), "datetime.datetime"),
    "matrix": (pickle.dumps(np.ones(2).view(np.recarray)), "recarray"),
    "a tensor of torch": (named("torch._utils", "_rebuild_tensor_v2"), "torch._utils._rebuild_tensor_v2"),
    "a model of torch": (b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}b.", "torch.nn.modules.linear.Linear"),
    "a frame of pandas": (
        b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00" + named("pandas.core.frame", "DataFrame", 4)[2:-1] + b")\x81.",
        "pandas.core.frame.DataFrame",
    ),
    "an array of joblib": (
        named("joblib.numpy_pickle", "NumpyArrayWrapper", 4)[:-1] + b")\x81}b.", "joblib.numpy_pickle.NumpyArrayWrapper"
    ),
    "factory of code": (
        b"\x80\x02ccollections\ndefaultdict\ncnumpy\ndtype\n\x85R.",
        "a defaultdict of something other than containers",
    ),
    "reconstructs a dtype": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(K\x00tX\x01\x00\x00\x00btR.",
        "reconstructs something other than numpy.ndarray",
    ),
    "calls a string": (b"\x80\x02X\x01\x00\x00\x00a)R.", "it calls something of type str"),
    "calls ndarray": (b"\x80\x02" + NDARRAY + b"(K\x02tR.", "calls the stand-in for a type"),
    "codecs of another encoding": (
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R.",
        "encodes something other than bytes"
    ),
    "BUILD on a function": (
        b"\x80\x02c_codecs\nencode\n}X\x0c\x00\x00\x00__defaults__K\x01sb.",
        "sets the state of something of type _codecs.encode"
    ),
    "BUILD on a dict": (b"\x80\x02}}X\x01\x00\x00\x00aK\x01sb.", "sets the state of something of type dict"),
    "EXT1": (b"\x80\x02\x82\x01.", "instruction EXT1"),
    "EXT4": (b"\x80\x02\x84\x01\x00\x00\x00.", "instruction EXT4"),
    "PERSID": (b"Pevil\n.", "instruction PERSID"),
    "BINPERSID": (b"\x80\x02K\x01Q.", "instruction BINPERSID"),
    "INST": (b"(S'touch canary'\nios\nsystem\n.", "instruction INST"),
    "OBJ": (b"\x80\x02(cnumpy\ndtype\nK\x01o.", "instruction OBJ"),
    "NEWOBJ": (b"\x80\x02cnumpy\ndtype\n)\x81.", "instruction NEWOBJ"),
    "NEXT_BUFFER": (b"\x80\x05\x97.", "instruction NEXT_BUFFER"),
    "LONG4": (b"\x80\x02\x8b\xff\xff\xff\x7f.", "instruction LONG4"),
    "frame of 2^60 bytes": (FRAME + struct.pack("<Q", 1 << 60) + b".", "it declares 1152921504606846976 bytes"),
    "bytes of 2^40": (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.", "it declares 1099511627776 bytes"),
    "array larger than its bytes": (
        RECONSTRUCT + STATE % b"f8" + b"\x89C\x08" + bytes(8) + b"tb.", "takes 32 bytes; it has 8"
    ),
    "array of made-up objects": (RECONSTRUCT + STATE % b"O8" + b"\x89C\x20" + bytes(32) + b"tb.", "lacks some of them"),
    "array of fields": (pickle.dumps(np.zeros(2, "i4,f8")), "expected numbers or strings"),
    "array of dates": (pickle.dumps(np.zeros(2, "M8[s]")), "expected numbers or strings"),
    "array never built": (RECONSTRUCT + b".", "it holds an array without data"),
    "a global itself": (b"\x80\x02" + NDARRAY + b".", "it holds numpy.ndarray itself"),
    "billion laughs": (pickle.dumps(laughs()), "it unfolds to more than"),
    "a list in itself": (pickle.dumps(cycle()), "it nests deeper than 64"),
    "100,000 lists in lists": (b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".", "it nests deeper than 64"),
    "deep tuple as a key": (b"\x80\x02})" + b"\x85" * 100_000 + b"K\x01s.", "a key of type tuple"),
    "bytes behind the end": (pickle.dumps(1) + b"more", "4 bytes follow its end"),
    "cut": (pickle.dumps({"vision": BIG})[:-1000], "it declares"),
    "cut at once": (b"\x80\x04", "is damaged or not a pickle"),
    "text": (b"video,label\n1,2\n", "is damaged or not a pickle"),
    "memo of nothing": (b"\x80\x02h\x07.", "is damaged or not a pickle"),
    "empty": (b"", "is an empty file; expected a pickle"),
    "gzip": (gzip.compress(pickle.dumps(1)), "is a gzip file; expected a pickle"),
    "torch": (torch_zip(), "is a zip archive; expected a pickle"),
    "web page": (b"\n<!doctype html>", "is a web page; expected a pickle"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer to a file of Git LFS"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_and_broken(write, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    content, words = HOSTILE[case]
    path = write(content)
    with pytest.raises(PickleRefused) as refusal:
        load_pickle(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert [found.name for found in tmp_path.iterdir()] == ["x.pkl"], "nothing ran"


def test_too_many_instructions(write, monkeypatch):
    monkeypatch.setattr(unpickle, "STEPS", 1000)
    with pytest.raises(PickleRefused, match="it has more than 1,000 instructions"):
        load_pickle(write(b"\x80\x02" + b"]" * 2000 + b"."))


def test_the_canary_would_sing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(HOSTILE["os.system"][0])
    assert (tmp_path / "canary").exists()


def test_no_file(tmp_path):
    with pytest.raises(DataMissing, match=r"is missing\. Put the pickle there"):
        load_pickle(tmp_path / "x.pkl")
