"""Arrays from outside: wrong data are not read in silence, no other file is read, and memory is bounded."""

import json
import os
import pickle
import resource
import signal
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from helpers import given_files
from helpers.given_files import CONFIG, by_split, mmsa_columns, mult_columns, npz_columns
from trml.base.errors import ContractError, PickleRefused
from trml.corpora.common.official_splits import cmu_fold_files
from trml.corpora.contract import read_corpus
from trml.corpora.feature_files import build as arrays
from trml.corpora.feature_files import sequences
from trml.corpora.registry import build_corpus
from trml.sources.formats import confined, limits
from trml.sources.formats import csd as csd_reader
from trml.sources.formats.csd import read_csd
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


def test_packed_arrays_are_counted_together(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(10**6), b=np.zeros(10**6))
    monkeypatch.setattr(limits, "MEMORY", 10**7)
    npz = Npz(tmp_path / "x.npz")
    assert npz.read("a").shape == (10**6,)
    with pytest.raises(ContractError, match=r"array 'b': unpacks to 8,000,000 bytes; reading the file may take 10,"):
        npz.read("b")


# --- layouts --------------------------------------------------------------------------------------------------

N = given_files.N
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
]


@pytest.mark.parametrize(("key", "value", "words"), NPZ, ids=[f"{key}: {words}" for key, _, words in NPZ])
def test_an_npz_names_file_and_key(tmp_path, key, value, words):
    with pytest.raises(ContractError) as refusal:
        given_files.build(tmp_path, npz_columns() | {key: value})
    assert f"features: {key}: {words}" in str(refusal.value)


def of_split(**changed):
    columns = by_split(**mmsa_columns())
    columns["valid"] |= changed
    return columns


PICKLES = [
    (of_split(id=np.array(3)), "valid/id: found [] of int64; expected a name or a row of three"),
    (of_split(id=7), "valid/id: found a int; expected a name"),
    (of_split(id=["a", "", "b"]), "valid/id: found an empty name"),
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
    monkeypatch.setattr(limits, "MEMORY", 1 << 25)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PickleRefused, match=r"x\.pkl is refused: it (takes|unfolds to) more than"):
        load_pickle(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


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


# --- csd ------------------------------------------------------------------------------------------------------

TIMES = np.array([[0, 1.0], [1, 2.0]])


def csd(path: Path, change=lambda file, group: None, intervals=TIMES, features=None) -> Path:
    """A sequence of one video; `change` may replace its arrays."""
    with h5py.File(path, "w") as file:
        group = file.create_group("words/data/v1")
        group["intervals"] = intervals
        group["features"] = np.ones((len(intervals), 3)) if features is None else features
        change(file, group)
    return path


def instead(name, **options):
    def change(file, group):
        del group[name]
        group.create_dataset(name, **options)

    return change


def linked(link):
    def change(file, group):
        del group["features"]
        group["features"] = link

    return change


def virtual(file, group):
    del group["features"]
    layout = h5py.VirtualLayout((2, 3), "f8")
    layout[:] = h5py.VirtualSource("other.csd", "words/data/v1/features", (2, 3))
    group.create_virtual_dataset("features", layout)


def moved(file, group):
    file["words/more"] = file["words/data"]
    del file["words/data"]


CSD = {
    "an external link": (
        linked(h5py.ExternalLink("other.csd", "/words/data/v1/features")),
        "'v1/features' is a link to",
    ),
    "a soft link": (linked(h5py.SoftLink("/words/data/v1/intervals")), "'v1/features' is a link to another place"),
    "external storage": (
        instead("features", shape=(2, 3), dtype="f8", external=[("/etc/passwd", 0, 48)]),
        "the bytes of 'v1/features' are in other files; only this file is read",
    ),
    "a virtual dataset": (virtual, "the bytes of 'v1/features' are in other files"),
    "12 GB": (
        instead("features", shape=(2, 750_000_000), dtype="f8", chunks=(1, 1000)),
        "'v1/features' states [2, 750000000] of float64, 12,000,000,000 bytes; reading the file may take",
    ),
    "NaN": (instead("intervals", data=[[0, np.nan], [1, 2]]), "row 0 of v1 has the times [0.0, nan]; expected seconds"),
    "inf": (instead("intervals", data=[[0, 1], [1, np.inf]]), "row 1 of v1 has the times [1.0, inf]"),
    "1e300": (instead("intervals", data=[[0, 1e300], [1, 2]]), "row 0 of v1 has the times [0.0, 1e+300]"),
    "texts of any length": (
        instead("features", shape=(2, 3), dtype=h5py.string_dtype()),
        "'v1/features' holds object; expected numbers, or texts of fixed length",
    ),
    "no space": (instead("features", data=h5py.Empty("f8")), "'v1/features' is empty; expected rows"),
    "one number": (instead("features", data=1.5), "v1 has intervals (2, 2) and features ()"),
    "a group for an array": (lambda file, group: group.move("features", "x"), "there is no array 'v1/features'"),
    "no data": (moved, "is not a computational sequence (\"there is no group 'data'\")"),
}


@pytest.mark.parametrize("case", CSD)
def test_a_csd_is_one_file_with_numbers(tmp_path, case):
    csd(tmp_path / "other.csd")
    change, words = CSD[case]
    path = csd(tmp_path / "x.csd", change)
    with pytest.raises(ContractError) as refusal:
        read_csd(path)
    assert str(refusal.value).startswith(str(path))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_csd_that_ends_its_reader_is_named(tmp_path, monkeypatch):
    """As a hole in HDF5 would: the process that tries the file first is killed."""
    path, helper, pause = csd(tmp_path / "x.csd"), confined._helper(), confined.select.select
    os.kill(helper.pid, signal.SIGSTOP)  # or it may be faster

    def wait(*arguments):
        helper.kill()
        return pause(*arguments)

    monkeypatch.setattr(confined.select, "select", wait)
    with pytest.raises(ContractError) as refusal:
        read_csd(path)
    monkeypatch.undo()
    words = "cannot be read in 512 MB of memory: its reader was ended by SIGKILL. It is damaged or hostile"
    assert str(refusal.value) == f"{path} {words}"
    assert read_csd(path), "another process is started for the next file"


def test_arrays_of_a_csd_are_counted_together(tmp_path, monkeypatch):
    def change(file, group):
        for i in range(5):
            other = file["words/data"].create_group(f"w{i}")
            other["intervals"] = np.zeros((1, 2))
            other.create_dataset("features", shape=(1, 1_000_000), dtype="f8", chunks=(1, 1000))

    path = csd(tmp_path / "x.csd", change)
    monkeypatch.setattr(limits, "MEMORY", 1 << 24)
    with pytest.raises(ContractError, match=r"'w\d/features' states \[1, 1000000\] of float64, 8,000,000 bytes"):
        csd_reader.attempt(path)


def test_labels_whose_interval_is_reversed_are_left_out_and_said(tmp_path):
    fold = json.loads(cmu_fold_files()[0].read_text())
    videos = {split: fold[split][0] for split in ("train", "valid", "test")}
    folder = tmp_path / "given"
    folder.mkdir()
    for name, width in (("labels", 1), ("text", 3), ("vision", 4)):
        with h5py.File(folder / name, "w") as file:
            for video in videos.values():
                group = file.create_group(f"{name}/data/{video}")
                turned = [[0.0, 1.0], [2.0, 1.5]] if name == "labels" else TIMES
                group["intervals"] = np.array(turned)
                group["features"] = np.linspace(-1, 1, 2 * width).reshape(2, width)
    config = replace(CONFIG, files=["labels", "text", "vision"])
    given = sequences.read_sequences([folder / name for name in config.files], config)
    named = sorted(videos.values())  # as HDF5 lists them
    assert given.table["utterance_id"].to_list() == [f"{video}[0]" for video in named]
    assert given.left_out == [(f"{video}[1]", "its interval ends before it starts: 2 s to 1.5 s") for video in named]
    assert f"Labels whose interval ends before it starts, left out: 3 ({named[0]}[1])." in given.notes
