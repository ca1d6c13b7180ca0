"""Given features with something wrong: the message names file and key, what was found and what was expected."""

import pickle
import zipfile
from dataclasses import replace
from functools import partial

import h5py
import numpy as np
import pytest

from helpers.given_files import CONFIG, SPLIT, N, build, by_split, mmsa_columns, mult_columns, npz_columns
from trml.base.errors import ContractError, PickleRefused


@pytest.fixture
def brought(tmp_path):
    return partial(build, tmp_path)


def write_csd(path, content, name="CMU_MOSI_Something"):
    with h5py.File(path, "w") as file:
        for video, (intervals, features) in content.items():
            file[f"{name}/data/{video}/intervals"] = intervals
            file[f"{name}/data/{video}/features"] = features


def npz(**changed):
    return {key: value for key, value in {**npz_columns(), **changed}.items() if value is not None}


def mmsa(**changed):
    return by_split(**{key: value for key, value in {**mmsa_columns(), **changed}.items() if value is not None})


def with_split(content, split, **changed):
    return {**content, split: {**content[split], **changed}}


NAMES = npz_columns()["utterance_id"]
MISSING_TEST = {k: v for k, v in mmsa().items() if k != "test"}
WRONG = {
    "key missing": (npz(label=None), "features: there is no array 'label'; it has raw_text, split, text"),
    "lengths": (npz(text=np.ones((5, 3))), "features: text: found 5 rows; expected 13"),
    "lengths of labels": (npz(label=np.ones(9)), "features: label: found 9 rows; expected 13"),
    "four dimensions": (npz(video=np.ones((N, 2, 2, 2))), "video: found [13, 2, 2, 2] of float64; expected numbers"),
    "strings for numbers": (npz(video=np.full((N, 2), "x")), "video: found [13, 2] of <U1; expected numbers [n, d]"),
    "no columns": (npz(video=np.ones((N, 0))), "video: found [13, 0] of float64"),
    "labels out of range": (npz(label=np.arange(N)), "label: found labels from 0 to 12; expected numbers from -3 to 3"),
    "infinite label": (npz(label=np.full(N, np.inf)), "found labels from inf to inf"),
    "labels as words": (npz(label=np.full(N, "good")), "label: found [13] of <U4; expected numbers"),
    "strange split": (npz(split=np.array(["all"] * N)), "split: found ['all']; expected train, valid or test"),
    "empty split": (npz(split=np.array(["train"] * 9 + ["test"] * 4)), "split valid has no utterance"),
    "no label in a split": (
        npz(label=np.where(np.array(SPLIT) == "test", np.nan, 0)), "split test has no utterance; expected some in each"
    ),
    "id twice": (npz(utterance_id=np.array(["a", "a", *NAMES[2:]])), "('a' in train); expected each once"),
    "id in two splits": (npz(utterance_id=np.array([*NAMES[:-1], NAMES[0]])), "('v0_0' in test and train)"),
    "objects": (npz(text=np.array([[1.0]] * N, dtype=object)), "array 'text': it holds objects; expected numbers"),
    "no text in train": (npz(text=np.zeros((N, 2))), "features: text: no utterance of split train has text"),
    "far from train": (
        npz(text=np.concatenate([np.arange(12.0) * 1e-30, [3e38]])[:, None]), "so far from those of split train"
    ),
    "pickle: split missing": (MISSING_TEST, "features: found keys ['train', 'valid']; expected train, valid and test"),
    "pickle: key missing": (mmsa(vision=None), "features: train: found keys ['annotations', 'audio',"),
    "pickle: lengths": (
        with_split(mmsa(), "valid", regression_labels=np.ones(2)), "valid/regression_labels: found 2 rows; expected 3"
    ),
    "pickle: raw texts": (with_split(mmsa(), "test", raw_text=["a"]), "test/raw_text: found 1 rows; expected 4"),
    "pickle: text_bert": (mmsa(text_bert=np.ones((N, 2))), "train/text_bert: found [6, 2] of float64; expected [6, 3"),
    "pickle: widths": (with_split(mmsa(), "test", vision=np.ones((4, 7, 9))), "found widths of text and vision"),
    "pickle: labels of IEMOCAP": (by_split(**mult_columns((4, 2))), "found [6, 4, 2] of float64; expected one label"),
    "pickle: ids": (mmsa(id=np.arange(N)), "train/id: found np.int64(0); expected a string"),
    "pickle: MM-Align's samples": ([((np.arange(3), np.ones((3, 2))), 1.0, "x")], "a list of samples, whose texts are"),
    "pickle: an array": (np.ones(3), "found a ndarray; expected a dict of splits"),
    "pickle: ragged": (mmsa(vision=[np.ones((2, 3)), np.ones((2, 4))] * 6 + [np.ones((2, 3))]), "of one width"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong(brought, case):
    content, words = WRONG[case]
    with pytest.raises(ContractError) as refusal:
        brought(content)
    assert words in str(refusal.value)
    assert "features" in str(refusal.value)


def test_wrong_class(brought):
    config = replace(CONFIG, task="classification", classes=["bad", "good"])
    with pytest.raises(ContractError, match=r"label: found \['fine'\]; expected the classes \['bad', 'good'\]"):
        brought(npz(label=np.array(["bad"] * 12 + ["fine"])), config)
    with pytest.raises(ContractError, match="found labels from 0 to 2; expected whole numbers from 0 to 1"):
        brought(npz(label=np.array([0, 2] * 6 + [1])), config)
    with pytest.raises(ContractError, match=r"found labels from 0 to 0\.5; expected whole numbers"):
        brought(npz(label=np.array([0, 0.5] * 6 + [0])), config)


def test_wrong_files(tmp_path, brought):
    folder = tmp_path / "given"
    folder.mkdir()
    write_csd(folder / "features", {"v": (np.zeros((1, 2)), np.zeros((1, 1)))})
    with pytest.raises(
        ContractError,
        match=r"an HDF5 file; expected one \.npz, one pickle, or \.csd files: labels, text, v",
    ):
        brought(None)
    with zipfile.ZipFile(folder / "features", "w") as file:
        file.writestr("archive/data.pkl", b"x")
    with pytest.raises(ContractError, match="features is a zip archive; expected one"):
        brought(None)
    (folder / "features").write_text("<html>")
    with pytest.raises(ContractError, match="features is a web page; expected one"):
        brought(None)
    (folder / "features").write_text("video,label")
    with pytest.raises(PickleRefused, match="is damaged or not a pickle"):
        brought(None)


def test_three_files_of_one_kind_and_one_of_another(tmp_path, brought):
    folder = tmp_path / "given"
    folder.mkdir()
    for name in ("labels", "text", "vision"):
        write_csd(folder / name, {"v": (np.zeros((1, 2)), np.zeros((1, 1)))})
    (folder / "audio").write_bytes(pickle.dumps(1))
    config = replace(CONFIG, files=["labels", "text", "vision", "audio"], modalities=["text", "vision", "audio"])
    words = (
        r"vision is an HDF5 file, audio is a pickle; expected one \.npz, one pickle, or \.csd files: labels, text, v"
    )
    with pytest.raises(ContractError, match=words):
        brought(None, config)


def test_an_npz_that_says_more_than_it_has(tmp_path, brought):
    np.savez(tmp_path / "x.npz", **npz_columns())
    (tmp_path / "given").mkdir()
    content = (tmp_path / "x.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "x.npz") as old, zipfile.ZipFile(tmp_path / "given/features", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"(13, 7, 3)", b"(13, 7, 9)"))
    with pytest.raises(ContractError, match=r"array 'video': states \[13, 7, 9\] of float64, 6552 bytes; 2184 follow"):
        brought(None)
    (tmp_path / "given/features").write_bytes(content[:-30])
    with pytest.raises(ContractError, match="is a zip archive; expected one"):
        brought(None)
