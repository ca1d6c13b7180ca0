"""Computational sequences (.csd) from outside: what is not stored is not made up, and only the file itself is read."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from helpers.given_files import CONFIG
from trml.base import confined
from trml.base.errors import ContractError
from trml.corpora.common.official_splits import cmu_fold_files
from trml.corpora.feature_files import scaling, sequences
from trml.sources.formats import csd as csd_reader
from trml.sources.formats.csd import read_csd

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


def half(file, group):
    del group["features"]
    group.create_dataset("features", shape=(2, 3), dtype="f8", chunks=(1, 3))[0] = 1


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
    "NaN": (
        instead("intervals", data=[[0, np.nan], [1, 2]]),
        "row 0 of 'v1' has the times [0.0, nan]; expected seconds",
    ),
    "inf": (instead("intervals", data=[[0, 1], [1, np.inf]]), "row 1 of 'v1' has the times [1.0, inf]"),
    "1e300": (instead("intervals", data=[[0, 1e300], [1, 2]]), "row 0 of 'v1' has the times [0.0, 1e+300]"),
    "texts of any length": (
        instead("features", shape=(2, 3), dtype=h5py.string_dtype()),
        "'v1/features' holds object; expected numbers, or texts of fixed length",
    ),
    "no space": (instead("features", data=h5py.Empty("f8")), "'v1/features' is empty; expected rows"),
    "one number": (instead("features", data=1.5), "'v1' has intervals (2, 2) and features ()"),
    "a group for an array": (lambda file, group: group.move("features", "x"), "there is no array 'v1/features'"),
    "a row too many": (instead("features", data=np.ones((3, 3))), "'v1' has intervals (2, 2) and features (3, 3)"),
    "a name of two lines": (
        lambda file, group: (
            file["words/data"].create_group("a\nReady. Next:").update(intervals=TIMES, features=TIMES[:1])
        ),
        "'a\\nReady. Next:' has intervals (2, 2) and features (1, 2)",
    ),
    "never written": (
        instead("features", shape=(2, 3), dtype="f4", fillvalue=9),
        "'v1/features' states [2, 3] of float32, and 0 of its 1 pieces were written. The file is not complete",
    ),
    "packed, never written": (
        instead("intervals", shape=(3_000_000, 2), dtype="f4", chunks=(100_000, 2), compression="gzip"),
        "'v1/intervals' states [3000000, 2] of float32, and 0 of its 30 pieces were written",
    ),
    "half written": (half, "'v1/features' states [2, 3] of float64, and 1 of its 2 pieces were written"),
    "one video twice": (
        lambda file, group: file.__setitem__("words/data/v2", group),
        "'v2' is 'v1' under another name; expected each once",
    ),
    "one array twice": (
        lambda file, group: file["words/data"].create_group("v2").__setitem__("intervals", group["intervals"]),
        "'v2/intervals' is 'v1/intervals' under another name",
    ),
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
            data = np.zeros((1, 1_000_000))
            other.create_dataset("features", data=data, chunks=(1, 100_000), compression="gzip", compression_opts=1)

    path = csd(tmp_path / "x.csd", change)
    monkeypatch.setattr(confined, "MEMORY", 1 << 24)
    with pytest.raises(ContractError, match=r"'w\d/features' states \[1, 1000000\] of float64, 8,000,000 bytes"):
        csd_reader.attempt(path)


FEATURES = np.linspace(-1, 1, 8)


def given(folder, **times):
    """Read sequences of one video in each fold; `times` has the intervals of labels, text or vision."""
    fold = json.loads(cmu_fold_files()[0].read_text())
    for name, width in (("labels", 1), ("text", 3), ("vision", 4)):
        with h5py.File(folder / name, "w") as file:
            for split in ("train", "valid", "test"):
                group = file.create_group(f"{name}/data/{fold[split][0]}")
                group["intervals"] = np.array(times.get(name, TIMES))
                group["features"] = np.resize(FEATURES, (len(group["intervals"]), width))
    config = replace(CONFIG, files=["labels", "text", "vision"])
    named = sorted(fold[split][0] for split in ("train", "valid", "test"))  # as HDF5 lists them
    return sequences.read_sequences([folder / name for name in config.files], config), named


def test_labels_whose_interval_is_reversed_are_left_out_and_said(tmp_path):
    found, named = given(tmp_path, labels=[[0.0, 1.0], [2.0, 1.5]])
    assert found.table["utterance_id"].to_list() == [f"{video}[0]" for video in named]
    assert found.left_out == [(f"{video}[1]", "its interval ends before it starts: 2 s to 1.5 s") for video in named]
    assert f"Labels whose interval ends before it starts, left out: 3 ({named[0]}[1])." in found.notes


def test_times_as_they_should_be_have_no_notes(tmp_path):
    assert given(tmp_path)[0].notes == []


OUTSIDE = "12 of 12 rows of text are in no label's interval and are not used."


@pytest.mark.parametrize(
    ("what", "times", "note"),
    [
        (
            "labels",
            [[0.0, 2.0]] * 4,
            "ATTENTION: 12 labels have the interval of another in their video, and so the same ",
        ),
        ("text", [[1.0, 0], [2.0, 1]], "ATTENTION: 6 of 6 rows of text have an interval that ends before it starts."),
        ("text", np.zeros((4, 2)), "ATTENTION: 9 of 12 rows of text have the interval of another row of their video."),
        (
            "text",
            1000 * np.repeat(TIMES, 2, 0),
            f"ATTENTION: {OUTSIDE} Are its times in seconds, as those of the labels?",
        ),
        ("vision", [[0, 1], [1, 2], [2, 3]], "3 of 9 rows of vision are in no label's interval and are not used."),
    ],
)
def test_times_that_may_be_a_mistake_are_noted(tmp_path, what, times, note):
    notes = given(tmp_path, **{what: times})[0].notes
    assert any(each.startswith(note) for each in notes), notes


def test_labels_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "UTTERANCE", 1 << 27)
    with pytest.raises(ContractError, match="labels has 6 utterances; expected at most 4 in a file of its size"):
        given(tmp_path)
