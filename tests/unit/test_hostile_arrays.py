"""Arrays from outside: wrong data are not read in silence, no other file is read, and memory is bounded."""

import pickle
import resource
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from helpers import given_files
from helpers.given_files import CONFIG, by_split, mmsa_columns, mult_columns, npz_columns
from trml.base import confined
from trml.base.errors import ContractError, PickleRefused
from trml.corpora.contract import read_corpus
from trml.corpora.feature_files import build as arrays
from trml.corpora.feature_files import scaling
from trml.corpora.registry import build_corpus
from trml.sources.formats.npz import Npz
from trml.sources.formats.safe_pickle import load_pickle

# --- npz ------------------------------------------------------------------------------------------------------


def test_a_changed_byte_of_a_stored_array_is_found(tmp_path):
    path, array = tmp_path / "x.npz", np.zeros(50_000)
    np.savez(path, text=array)
    content = bytearray(path.read_bytes())
    content[200_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(ContractError, match=r"x\.npz: array 'text': it cannot be read \(Bad CRC-32"):
        Npz(path).read("text")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("text.npy", "text.npy"), ("text", "text.npy")])
def test_an_array_that_is_there_twice(tmp_path, names):
    np.save(tmp_path / "a.npy", np.ones(3))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        for name in names:
            file.writestr(name, (tmp_path / "a.npy").read_bytes())
    with pytest.raises(ContractError, match=r"x\.npz: array 'text' is there twice; expected each name once"):
        Npz(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -3)}", "states [-2, -3] of float64"),
        ("{'descr': '<U0', 'fortran_order': False, 'shape': (1099511627776,)}", "states [1099511627776] of <U0"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (6,)}", "it holds objects"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (6,), 'x': 1}", "it cannot be read"),
        ("[" * 3000, "it cannot be read"),
        ("(" * 4000 + ")" * 4000, "it cannot be read (Cannot parse header: '((("),
        (
            "{'descr': [('\x1b[31m', 'f8')], 'fortran_order': False, 'shape': (7,)}",
            "states [7] of [('\\x1b[31m', '<f8')]",
        ),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_headers_that_lie(tmp_path, header, words, method):
    text = header.encode() + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + (b"" if "U0" in header else bytes(48))
    with zipfile.ZipFile(tmp_path / "x.npz", "w", method) as file:
        file.writestr("text.npy", content)
    with pytest.raises(ContractError) as refusal:
        Npz(tmp_path / "x.npz").read("text")
    assert f"{tmp_path}/x.npz: array 'text': {words}" in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_packed_arrays_are_counted_together(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(10**6), b=np.zeros(10**6))
    monkeypatch.setattr(confined, "MEMORY", 10**7)
    npz = Npz(tmp_path / "x.npz")
    assert npz.read("a").shape == (10**6,)
    with pytest.raises(ContractError, match=r"array 'b': unpacks to 8,000,000 bytes; reading the file may take 10,"):
        npz.read("b")


def test_features_take_no_more_than_the_budget_as_numbers(tmp_path, monkeypatch):
    columns = npz_columns() | {"video": np.zeros((N, 100_000), np.int8)}
    columns["video"][:, 0] = range(N)
    (tmp_path / "given").mkdir()
    with (tmp_path / "given/features").open("wb") as file:
        np.savez_compressed(file, **columns)
    assert given_files.build(tmp_path, None)
    monkeypatch.setattr(confined, "MEMORY", 1 << 22)
    with pytest.raises(
        ContractError, match=r"video: its features take 17,2.* as numbers of 4 bytes; reading .* may take 4"
    ):
        given_files.build(tmp_path, None)


def test_lists_of_sequences_count_with_their_padding(tmp_path, monkeypatch):
    columns = mmsa_columns() | {"vision": [np.ones((1 + 7 * (i == 0), 10_000), np.int8) for i in range(N)]}
    assert given_files.build(tmp_path, by_split(**columns))
    monkeypatch.setattr(confined, "MEMORY", 1 << 21)
    monkeypatch.setattr(confined, "MEMORY_A_BYTE", 1)
    with pytest.raises(
        ContractError, match=r"features: vision: its features take .* as numbers of 4 bytes; reading the file"
    ):
        given_files.build(tmp_path, by_split(**columns))


@pytest.mark.parametrize("content", [npz_columns(), by_split(**mmsa_columns())], ids=["npz", "pickle"])
def test_utterances_are_counted(tmp_path, monkeypatch, content):
    monkeypatch.setattr(scaling, "UTTERANCE", 1 << 27)
    with pytest.raises(
        ContractError, match=r"features has (13|6) utterances; expected at most 4 in a file of its size"
    ):
        given_files.build(tmp_path, content)


# --- layouts --------------------------------------------------------------------------------------------------

N = given_files.N
NO_TEXT = np.frombuffer(np.full(N, 0x110000, "<u4").tobytes(), "<U1")  # a character beyond Unicode
NPZ = [
    ("utterance_id", np.array(["v0_0", "", *[f"v{i}" for i in range(2, N)]]), "found an empty name in row 1"),
    ("video_id", np.array([""] * N), "found an empty name in row 0"),
    ("text", np.array(3.5), "found [] of float64"),
    ("label", np.array(1.0), "found 0 rows"),
    ("split", np.array("train"), "found [] of <U5"),
    ("video", np.zeros((N, 0)), f"found [{N}, 0] of float64"),
    ("text", np.zeros((N, 2, 2, 2)), f"found [{N}, 2, 2, 2] of float64"),
    ("raw_text", np.array(["\ud800"] * N), "found '\\ud800'; expected text that is UTF-8"),
    ("label", np.array(["\x1b[31m"] * N), "found [13] of <U5; expected numbers"),
    ("utterance_id", np.array([" ", "  ", *[f"v{i}" for i in range(2, N)]]), "found an empty name in row 0"),
    ("utterance_id", np.array(["a\0b", "a\0c", *[f"v{i}" for i in range(2, N)]]), "found a name with NUL in row 0"),
    ("split", np.array([], "U5"), "found no utterance; expected some in each of train, valid, test"),
    ("label", np.linspace(-3, 3, N) * (1 + 1e-12), "found labels from -3.0000000000030003 to 3.00000000000"),
    ("raw_text", NO_TEXT, "it cannot be read (SystemError: invalid maximum character"),
    ("raw_text", np.zeros((N, 2), "U1"), "found [13, 2] of <U1; expected strings"),
]


@pytest.mark.parametrize(("key", "value", "words"), NPZ, ids=[f"{key}: {words}" for key, _, words in NPZ])
def test_an_npz_names_file_and_key(tmp_path, key, value, words):
    with pytest.raises(ContractError) as refusal:
        given_files.build(tmp_path, npz_columns() | {key: value})
    assert f"features: {key}: {words}" in str(refusal.value)


def test_classes_beyond_unicode(tmp_path):
    config = replace(CONFIG, task="classification", classes=["a", "b"])
    with pytest.raises(ContractError, match=r"features: label: it cannot be read \(SystemError: invalid maximum char"):
        given_files.build(tmp_path, npz_columns() | {"label": NO_TEXT}, config)


@pytest.mark.parametrize(
    ("label", "classes", "words"),
    [
        (np.zeros(N), [], "features: every label is 0; expected two different ones or more"),
        (np.where(np.arange(N) % 2, 1 + 1e-9, 1), [], "features: every label is 1; expected two"),
        (np.zeros(N, int), ["a", "b"], "features: every label is a; expected two different ones or more"),
    ],
)
@pytest.mark.parametrize("kind", ["npz", "pickle"])
def test_one_label_for_all(tmp_path, label, classes, words, kind):
    task = "classification" if classes else "regression"
    columns = mmsa_columns() | {f"{task}_labels": label}
    content = npz_columns() | {"label": label} if kind == "npz" else by_split(**columns)
    with pytest.raises(ContractError, match=words):
        given_files.build(tmp_path, content, replace(CONFIG, task=task, classes=classes))


def of_split(**changed):
    columns = by_split(**mmsa_columns())
    columns["valid"] |= changed
    return columns


PICKLES = [
    (of_split(id=np.array(3)), "valid/id: found [] of int64; expected a name or a row of three"),
    (of_split(id=7), "valid/id: found a int; expected a name"),
    (of_split(id=["a", "", "b"]), "valid/id: found an empty name"),
    (of_split(id=["a", "\t ", "b"]), "valid/id: found an empty name"),
    (of_split(id=["a\0", "c", "b"]), "valid/id: found a name with NUL"),
    (of_split(raw_text=NO_TEXT[:3]), "valid/raw_text: it cannot be read (SystemError: invalid maximum character"),
    (of_split(id=["a", "\ud800", "b"]), "valid/id: found '\\ud800'; expected text that is UTF-8"),
    (of_split(text=np.float32(1.5)), "valid/text: found a float32; expected numbers"),
    (of_split(text=np.array(2.0)), "valid/text: found [] of float64; expected numbers"),
    (of_split(regression_labels=[[1.0], [2.0, 3.0], [1.0]]), "valid/regression_labels: it cannot be read (ValueError"),
    (of_split(regression_labels=None), "valid/regression_labels: found 0 rows"),
    (of_split(raw_text=["a", ["b"], "c"]), "valid/raw_text: found a list; expected strings"),
    (by_split(**mmsa_columns()) | {"dev": {}}, "found keys train, valid, test, dev, of which two name one split"),
    (
        by_split(**mmsa_columns()) | {"val": {}, "dev": {}},
        "found keys train, valid, test, val, dev, of which two name one split; expected each split once",
    ),
]


@pytest.mark.parametrize(("content", "words"), PICKLES, ids=[words for _, words in PICKLES])
def test_a_pickle_names_file_and_key(tmp_path, content, words):
    with pytest.raises(ContractError) as refusal:
        given_files.build(tmp_path, content)
    assert f"{tmp_path}/given/features: {words}" in str(refusal.value)


def test_times_in_ids_that_no_clip_has_are_none(tmp_path):
    columns = mult_columns()
    columns["id"] = np.array([[f"v{i}".encode(), b"1e300", b"1e301"] for i in range(N)])
    _, table = read_corpus(given_files.build(tmp_path, by_split(**columns)))
    assert table["start_s"].to_list() == [0.0] * N


def test_a_fault_that_was_not_foreseen_names_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "read", lambda *_: 1 / 0)
    (tmp_path / "given").mkdir()
    with pytest.raises(ContractError, match=rf"ZeroDivisionError: .*They are {tmp_path}/given/features"):
        build_corpus(CONFIG, tmp_path, tmp_path, "x", 1)


# --- pickles --------------------------------------------------------------------------------------------------

BIG = b"X" + (1 << 20).to_bytes(4, "little") + b"x" * (1 << 20) + b"\x940"  # a text of 1 MB, remembered as 0
BYTES = b"\x8e" + (1 << 20).to_bytes(8, "little") + b"x" * (1 << 20) + b"\x940"
MANY = {
    "sets": b"](" + b"\x8f" * 300_000 + b"e.",
    "lists": b"](" + b"]" * 300_000 + b"e.",
    "tuples": b")" + b"\x85" * 300_000 + b".",
    "memories": b"N" + b"\x94" * 900_000 + b".",
    "bytes() of a text": BIG + b"cbuiltins\nbytes\n\x940](" + b"h\x01h\x00\x85R" * 300 + b"e.",
    "references to a text": BIG + b"](" + b"h\x00" * 3000 + b"e.",
    "references to bytes": BYTES + b"](" + b"h\x00" * 3000 + b"e.",
}


@pytest.mark.parametrize("case", MANY)
def test_what_a_pickle_makes_is_counted(tmp_path, monkeypatch, case):
    path = tmp_path / "x.pkl"
    path.write_bytes(b"\x80\x04" + MANY[case])
    monkeypatch.setattr(confined, "MEMORY", 1 << 25)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PickleRefused, match=r"x\.pkl is refused: it (takes|unfolds to) more than"):
        load_pickle(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


COLLIDING = [i * (2**61 - 1) for i in range(1, 2000)]
ONE_HASH = [np.complex128(complex(-1000003 * i, i)) for i in range(1, 100)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (dict.fromkeys(COLLIDING), "expected strings, or numbers within 64 bits"),
        (set(COLLIDING), "expected strings, or numbers within 64 bits"),
        (dict.fromkeys(map(float, COLLIDING)), "a key 9.2"),
        (dict.fromkeys(ONE_HASH), "a key of type complex128"),
        ({np.longdouble(2.5): 1}, "a key of type longdouble"),
        ({float("nan"): 1}, "a key nan"),
        ({10**70: 1}, f"a key 1{'0' * 38}…; expected strings"),
    ],
)
def test_keys_with_one_hash_are_few(tmp_path, value, words):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(PickleRefused) as refusal:
        load_pickle(path)
    assert words in str(refusal.value)


def test_usual_keys_are_admitted(tmp_path):
    value = {
        0: 1,
        -5: 2,
        2**63 - 1: 3,
        0.25: 4,
        np.float16(2): 5,
        np.int64(7): 6,
        True: 7,
        None: 8,
        b"x": 9,
        np.str_("y"): 10,
    }
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(value))
    assert load_pickle(tmp_path / "x.pkl") == value


@pytest.mark.parametrize("content", [b"I" + b"x" * 9000 + b"\n.", b"Vx\n(" + b"I" + b"9" * 9000 + b"\n."])
def test_a_long_line_of_a_pickle_is_not_printed(tmp_path, content):
    (tmp_path / "x.pkl").write_bytes(content)
    with pytest.raises(PickleRefused) as refusal:
        load_pickle(tmp_path / "x.pkl")
    assert len(str(refusal.value)) < 400


def test_numbers_in_lists_are_within_the_budget(tmp_path):
    path, value = tmp_path / "x.pkl", {"train": [[0.1 * i, i] for i in range(3000)]}
    path.write_bytes(pickle.dumps(value))
    assert load_pickle(path) == value


def test_values_of_no_bytes_are_refused(tmp_path):
    content = pickle.dumps(np.array(["a"]), 2)
    assert b"U1" in content
    path = tmp_path / "x.pkl"
    path.write_bytes(content.replace(b"U1", b"U0").replace(b"K\x04K\x04K\x08", b"K\x00K\x04K\x08"))
    with pytest.raises(PickleRefused, match="an array has many values of no bytes"):
        load_pickle(path)
