"""Given features in computational sequences (.csd) of the CMU Multimodal SDK."""

import json
from dataclasses import replace
from functools import partial

import h5py
import numpy as np
import polars as pl
import pytest

from helpers.given_files import CONFIG, build, present, read
from trml.base.errors import ContractError
from trml.corpora.common import official_splits
from trml.corpora.contract import SPLITS


@pytest.fixture
def brought(tmp_path):
    return partial(build, tmp_path)


def write_csd(path, content, name="CMU_MOSI_Something"):
    with h5py.File(path, "w") as file:
        for video, (intervals, features) in content.items():
            file[f"{name}/data/{video}/intervals"] = intervals
            file[f"{name}/data/{video}/features"] = features


VIDEOS = {"vidA": "train", "vidB": "valid", "vidC": "test", "vidD": "none"}


@pytest.fixture
def csd(tmp_path, monkeypatch):
    """Return three .csd of four videos of two segments, and folds that know three of the videos."""
    (tmp_path / "folds").mkdir()
    folds = {split: [video for video, of in VIDEOS.items() if of == split] for split in SPLITS}
    (tmp_path / "folds" / "cmu_mosi.json").write_text(json.dumps(folds))
    (tmp_path / "folds" / "cmu_mosei.json").write_text(json.dumps({split: ["other"] for split in SPLITS}))
    monkeypatch.setattr(official_splits, "_FOLDS", tmp_path / "folds")
    rng = np.random.default_rng(0)
    content = {"labels": {}, "text": {}, "vision": {}}
    for video in VIDEOS:
        content["labels"][video] = np.array([[0.0, 2.0], [2.0, 5.0]]), rng.uniform(-3, 3, (2, 1))
        for what, every, width in [("text", 0.5, 2), ("vision", 0.25, 3)]:
            starts = np.arange(0, 5, every)
            content[what][video] = np.stack([starts, starts + every], axis=1), rng.normal(size=(len(starts), width))
    return content


SEQUENCES = replace(CONFIG, files=["labels.csd", "text.csd", "vision.csd"], frames=4)


def csd_corpus(tmp_path, brought, content):
    (tmp_path / "given").mkdir(exist_ok=True)
    for name, sequences_ in content.items():
        write_csd(tmp_path / "given" / f"{name}.csd", sequences_)
    return brought(None, SEQUENCES)


def test_sequences(tmp_path, brought, csd):
    folder = csd_corpus(tmp_path, brought, csd)
    _, table, found = read(folder)
    assert table["utterance_id"].to_list() == ["vidA[0]", "vidA[1]", "vidB[0]", "vidB[1]", "vidC[0]", "vidC[1]"]
    assert table["split"].to_list() == ["train", "train", "valid", "valid", "test", "test"]
    assert table.select("start_s", "end_s").rows()[1] == (2.0, 5.0)
    np.testing.assert_allclose(table["label"][:2], csd["labels"]["vidA"][1][:, 0], rtol=1e-6)
    left_out = pl.read_parquet(folder / "left_out.parquet").rows()
    assert left_out == [(f"vidD[{i}]", "its video is in no official fold") for i in (0, 1)]
    segments = [slice(0, 4), slice(4, 10)]  # of words of half a second
    text = np.stack([csd["text"][v][1][s].mean(axis=0) for v in ("vidA", "vidB", "vidC") for s in segments])
    np.testing.assert_allclose(found["text"][:, 0], (text - text[:2].mean(axis=0)) / text[:2].std(axis=0), rtol=1e-4)
    frames = [csd["vision"]["vidA"][1][chosen] for chosen in ([0, 2, 5, 7], [8, 12, 15, 19])]
    of_train = np.concatenate(frames)
    scaled = (frames[1] - of_train.mean(axis=0)) / of_train.std(axis=0)
    np.testing.assert_allclose(found["vision"][1], scaled, rtol=1e-4, atol=1e-5)


def test_sequences_in_any_order_of_time(tmp_path, brought, csd):
    ordered = read(csd_corpus(tmp_path, brought, csd))[2]
    shuffled = np.random.default_rng(0).permutation(20)
    csd["vision"] = {v: (intervals[shuffled], f[shuffled]) for v, (intervals, f) in csd["vision"].items()}
    np.testing.assert_array_equal(read(csd_corpus(tmp_path, brought, csd))[2]["vision"], ordered["vision"])


def test_a_video_without_a_sequence_lacks_the_modality(tmp_path, brought, csd):
    del csd["vision"]["vidB"]
    info, _, found = read(csd_corpus(tmp_path, brought, csd))
    assert present(found).tolist() == [[True, row not in (2, 3)] for row in range(6)]
    assert "Videos of the labels that are not in vision.csd: 1." in info.notes


def test_folds_are_raw_files_of_sequences_alone(tmp_path, csd):
    assert [path.name for path in SEQUENCES.raw_files(tmp_path)][3:] == ["cmu_mosei.json", "cmu_mosi.json"]
    assert [path.name for path in CONFIG.raw_files(tmp_path)] == ["features"]


def words_for_text(content):
    content["text"] = {v: (i, np.array([[b"um"]] * len(i))) for v, (i, _) in content["text"].items()}


def other_videos(content):
    content["labels"] = {f"x{video}": each for video, each in content["labels"].items()}


def features_for_labels(content):
    content["labels"] = content["vision"]


def labels_of_four(content):
    content["labels"]["vidA"][1][0] = 4.0


def widths(content):
    content["vision"]["vidB"] = content["text"]["vidB"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (words_for_text, "text.csd: features: found words; expected numbers of one width"),
        (other_videos, "found videos ['xvidA', 'xvidB', 'xvidC']; expected videos of the official folds"),
        (features_for_labels, "labels.csd: features: found [60, 3] of float64; expected one label"),
        (labels_of_four, "to 4; expected numbers from -3 to 3"),
        (widths, "vision.csd: features: found widths [2, 3]"),
    ],
)
def test_sequences_with_something_wrong(tmp_path, brought, csd, change, words):
    change(csd)
    with pytest.raises(ContractError) as refusal:
        csd_corpus(tmp_path, brought, csd)
    assert words in str(refusal.value)


def test_a_fourth_file_brings_audio(tmp_path, brought, csd):
    two = read(csd_corpus(tmp_path, brought, csd))[2]
    csd["audio"] = {
        video: (intervals, features[:, :2] * 5 + 1) for video, (intervals, features) in csd["vision"].items()
    }
    write_csd(tmp_path / "given" / "audio.csd", csd["audio"])
    config = replace(SEQUENCES, files=[*SEQUENCES.files, "audio.csd"], modalities=["text", "vision", "audio"])
    info, _, three = read(brought(None, config))
    assert info.modalities == ["text", "vision", "audio"]
    np.testing.assert_allclose(three["audio"], two["vision"][:, :, :2], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(three["text"], two["text"])
