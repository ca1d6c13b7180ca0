"""Given features: every layout arrives whole, values are cleaned as documented, scaling sees training data alone."""

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from conftest import ROOT
from helpers.given_files import (
    CONFIG,
    D_VISION,
    SIZES,
    SPLIT,
    N,
    T,
    build,
    by_split,
    mmsa_columns,
    mult_columns,
    npz_columns,
    numbers,
    present,
    read,
)  # fmt: skip
from trml.corpora.feature_files import scaling as given
from trml.corpora.feature_files.config import ArraysConfig
from trml.features.contract import read_features
from trml.features.given import take_given


@pytest.fixture
def brought(tmp_path):
    return partial(build, tmp_path)


def expected(most=8):
    """Text and frames by other means: all rows of train stacked, standardised."""
    text, vision, words, frames = numbers()
    mean_text = np.stack([text[i, : words[i]].mean(axis=0) for i in range(N)])
    clips = [vision[i, T - frames[i] :] for i in range(N)]
    train = np.concatenate(clips[: SIZES["train"]])
    clips = [(clip - train.mean(axis=0)) / train.std(axis=0) for clip in clips]
    of_train = mean_text[: SIZES["train"]]
    return (mean_text - of_train.mean(axis=0)) / of_train.std(axis=0), clips


LAYOUTS = {
    "npz": npz_columns(),
    "MMSA unaligned": by_split(**mmsa_columns()),
    "MMSA aligned": by_split(**{k: v for k, v in mmsa_columns().items() if not k.endswith("_lengths")}),
    "MulT, MOSI": by_split(**mult_columns(ids=1)),
    "MulT, MOSEI": by_split(**mult_columns()),
    "MulT, seven labels": by_split(**mult_columns(labels=(1, 7))),
    "dev for valid": {{"valid": "dev"}.get(k, k): v for k, v in by_split(**mult_columns(ids=1)).items()},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(brought, layout):
    info, table, found = read(brought(LAYOUTS[layout]))
    text, clips = expected()
    assert (info.media, info.task) == ("given", "regression")
    assert table["split"].to_list() == SPLIT
    assert table["video_id"].to_list() == [f"v{i // 2}" for i in range(N)]
    np.testing.assert_allclose(table["label"], np.linspace(-3, 3, N), rtol=1e-6)
    np.testing.assert_allclose(found["text"][:, 0], text, rtol=1e-4, atol=1e-5)
    assert found["vision_mask"].sum(axis=1).tolist() == [len(clip) for clip in clips]
    for i, clip in enumerate(clips):
        np.testing.assert_allclose(found["vision"][i, : len(clip)], clip, rtol=1e-4, atol=1e-5)
        assert not found["vision"][i, len(clip) :].any()
    assert present(found).all()
    assert {k: v.dtype.name for k, v in found.items()} == {
        "text": "float32", "text_mask": "bool", "vision": "float32", "vision_mask": "bool",
    }  # fmt: skip
    of_mosei = layout in ("MulT, MOSEI", "MulT, seven labels")
    assert table["utterance_id"][3] == ("v1_3.5_4.0" if of_mosei else "v1_1")
    assert table["end_s"][3] == (4.0 if of_mosei else 0.0)
    raw = layout == "npz" or "MMSA" in layout
    assert table["text"][3] == ("sentence 3" if raw else "")
    assert table["clip"][3] == "given/vision.npy#3"


def test_the_way_to_features(brought, tmp_path):
    (tmp_path / "features").mkdir()
    take_given(brought(npz_columns()), tmp_path / "features", "x")
    features = read_features(tmp_path / "features")
    assert features.signals["vision"].values.shape == (N, max(numbers()[3]), D_VISION)


def test_two_dimensions_are_one_row(brought):
    columns = {k: v[:, 0] if k == "text" else v[:, -1] if k == "video" else v for k, v in npz_columns().items()}
    _, _, found = read(brought(columns))
    assert found["vision"].shape == (N, 1, D_VISION)


def test_compressed_npz(brought, tmp_path):
    plain = brought(npz_columns())
    np.savez_compressed(tmp_path / "given" / "x.npz", **npz_columns())
    (tmp_path / "given" / "x.npz").rename(tmp_path / "given" / "features")
    packed = brought(None)
    assert (plain / "given/vision.npy").read_bytes() == (packed / "given/vision.npy").read_bytes()


def test_classes_by_number_and_by_name(brought):
    config = replace(CONFIG, task="classification", classes=["Negative", "Neutral", "Positive"])
    _, table, _ = read(brought(by_split(**mmsa_columns()), config))
    columns = npz_columns()
    columns["label"] = mmsa_columns()["annotations"]
    _, named, _ = read(brought(columns, config))
    assert table["label"].to_list() == named["label"].to_list() == [0] * 6 + [1] + [2] * 6


def test_frames_are_chosen_evenly(brought):
    _, _, found = read(brought(npz_columns(), replace(CONFIG, frames=3)))
    _, clips = expected()
    assert found["vision"].shape[1] == 3
    of = int(np.argmax([len(clip) for clip in clips]))
    chosen = [clip[np.linspace(0, len(clip) - 1, min(3, len(clip))).round().astype(int)] for clip in numbers_of_clips()]
    train = np.concatenate(chosen[: SIZES["train"]])
    np.testing.assert_allclose(
        found["vision"][of], (chosen[of] - train.mean(axis=0)) / train.std(axis=0), rtol=1e-4, atol=1e-5
    )


def numbers_of_clips():
    _, vision, _, frames = numbers()
    return [vision[i, T - frames[i] :] for i in range(N)]


def test_a_frame_of_zeros_ends_no_clip(brought):
    columns = mmsa_columns()
    of = int(np.argmax(columns["vision_lengths"]))
    columns["vision"][of, 2] = 0
    columns["vision_lengths"][of] = 2
    _, _, found = read(brought(by_split(**columns)))
    assert found["vision_mask"][of].sum() == max(mmsa_columns()["vision_lengths"])


# --- what is not finite, padding, constant columns, scaling ------------------------------------------------


def rows(*values):
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("raw", "there", "not_finite"),
    [
        (rows([1, 2], [3, 4]), rows([1, 2], [3, 4]), 0),
        (rows([0, 0], [1, 2], [0, 0], [3, 0], [0, 0]), rows([1, 2], [0, 0], [3, 0]), 0),
        (rows([1, -np.inf], [3, 4]), rows([1, 0], [3, 4]), 1),
        (rows([1, 2], [np.nan, np.inf], [3, 4]), rows([1, 2], [3, 4]), 2),
        (rows([0, np.nan], [1, 2]), rows([1, 2]), 1),
        (rows([1e300, 1], [2, 2]), rows([0, 1], [2, 2]), 1),
        (rows([0, 0], [0, 0]), np.zeros((0, 2)), 0),
        (rows([np.nan, np.nan]), np.zeros((0, 2)), 2),
        (np.zeros((0, 2)), np.zeros((0, 2)), 0),
    ],
)
def test_cleaning(raw, there, not_finite):
    count, before = given.Count(), raw.copy()
    np.testing.assert_array_equal(given.cleaned(raw, count), there)
    assert count.not_finite == not_finite
    assert count.without == (len(there) == 0)
    np.testing.assert_array_equal(raw, before)


def test_counts_are_reported(brought, capsys):
    columns = npz_columns()
    columns["video"][:, :, 2] = np.where(columns["video"][:, :, 2] != 0, 7.0, 0)
    columns["video"][12, -1, 2] = 8.0
    columns["video"][0, -1, :2] = [-np.inf, np.nan]
    columns["video"][1] = np.nan
    columns["text"][2] = 0
    info, table, found = read(brought(columns))
    note = next(note for note in info.notes if "video" in note)
    assert "23 of 273 values are not finite" in note
    assert "7 rows without a finite value are absent; vision is missing in 1 of 13 utterances" in note
    assert "1 of 3 columns are constant in split train and are 0" in note
    assert f"corpus arrays: {note}" in capsys.readouterr().err
    assert present(found).tolist() == [[i != 2, i != 1] for i in range(N)]
    assert not found["vision"][:, :, 2].any()
    assert not found["text"][2].any()
    assert all(np.isfinite(array).all() for array in found.values())
    assert table["text"][2] == "sentence 2"


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.4, 0.0])
def test_features_that_say_little_are_pointed_out(brought, kept):
    columns = npz_columns()
    shape = columns["text"].shape
    columns["text"] = np.where(np.random.default_rng(0).random(shape) < kept, columns["text"], np.nan) if kept else 1.0
    columns["text"] = np.broadcast_to(columns["text"], shape)
    info, _, _ = read(brought(columns))
    (note,) = [note for note in info.notes if ": text" in note or "text is missing" in note]
    assert note.startswith("ATTENTION: ") == (kept < 0.5)


def test_scaling_knows_the_training_part_alone(brought):
    _, _, before = read(brought(npz_columns()))
    columns, held_out = npz_columns(), np.array(SPLIT) != "train"
    columns["text"][held_out] *= 100
    columns["video"][held_out] += 1000
    _, _, after = read(brought(columns))
    for name in ("text", "vision"):
        assert before[name][~held_out].tobytes() == after[name][~held_out].tobytes()
        assert not np.allclose(before[name][held_out], after[name][held_out])
    of_train = after["vision"][~held_out][after["vision_mask"][~held_out]]
    np.testing.assert_allclose(of_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(of_train.std(axis=0), 1, rtol=1e-5)


def test_a_large_mean_costs_no_digits(brought):
    columns = npz_columns()
    columns["text"] = (np.random.default_rng(1).integers(0, 9, (N, 1, 2)) + 2**20).astype(np.float32)
    _, _, found = read(brought(columns))
    raw = columns["text"][:, 0].astype(np.float64)
    of_train = raw[: SIZES["train"]]
    np.testing.assert_allclose(
        found["text"][:, 0], (raw - of_train.mean(axis=0)) / of_train.std(axis=0), rtol=1e-4, atol=1e-5
    )


def test_what_is_left_out(brought):
    columns = npz_columns()
    columns["label"][1] = np.nan
    columns["text"][3], columns["video"][3] = 0, np.nan
    folder = brought(columns)
    _, table, found = read(folder)
    left_out = pl.read_parquet(folder / "left_out.parquet").rows()
    assert left_out == [("v0_1", "no label"), ("v1_1", "none of text, vision")]
    assert table.height == len(found["text"]) == len(found["vision"]) == N - 2
    clips = numbers_of_clips()
    assert found["vision_mask"].sum(axis=1).tolist() == [len(clip) for i, clip in enumerate(clips) if i not in (1, 3)]


def test_audio_is_a_third_modality_where_it_is_asked_for(brought):
    sound = np.random.default_rng(2).normal(2, 3, (N, 4, 5))
    three = replace(CONFIG, modalities=["text", "vision", "audio"])
    info, _, files = read(brought({**npz_columns(), "audio": sound}, three))
    assert info.modalities == ["text", "vision", "audio"]
    flat = sound[: SIZES["train"]].reshape(-1, 5)
    np.testing.assert_allclose(files["audio"], (sound - flat.mean(axis=0)) / flat.std(axis=0), rtol=1e-4, atol=1e-5)
    assert files["audio_mask"].all()
    _, _, pickled = read(brought(by_split(**{**mmsa_columns(), "audio": sound}), three))
    np.testing.assert_array_equal(pickled["audio"], files["audio"])
    _, _, two = read(brought({**npz_columns(), "audio": sound}))
    for name, array in two.items():
        np.testing.assert_array_equal(array, files[name])


@pytest.mark.parametrize("modalities", [["vision", "text"], ["text", "text"], ["text"], ["text", "smell"]])
def test_modalities_are_two_or_more_in_order(modalities):
    with pytest.raises(ValidationError):
        replace(CONFIG, modalities=modalities)


@pytest.mark.parametrize(("task", "classes"), [("regression", ["a", "b"]), ("classification", ["a"])])
def test_configuration_names_classes_where_there_are_some(task, classes):
    with pytest.raises(ValidationError, match=f"task {task} with {len(classes)} classes"):
        ArraysConfig("arrays", "arrays", "given", ["x"], task, classes, 8, ["text", "vision"])


@pytest.mark.skipif(not (ROOT.parent / "shared").is_dir(), reason="the real corpora are not beside the project")
def test_real_mosi(tmp_path, brought):
    source = ROOT.parent / "shared/data/mosi"
    table, features = pl.read_csv(source / "mosi_utterances.csv"), np.load(source / "mosi_features.npz")
    split = table["bclstm_split"].to_numpy().astype("U5")
    split[np.isin(table["video_id"], table["video_id"].unique().sort()[:5])] = "valid"
    folder = brought(
        {
            "text": features["text"],
            "video": features["video"],
            "label": table["sentiment"].to_numpy(),
            "split": split,
            "utterance_id": features["utt_id"],
            "raw_text": table["text"].to_numpy().astype(str),
        }
    )
    _, read_table, found = read(folder)
    assert read_table.height == 2199
    assert read_table["video_id"].to_list() == table["video_id"].to_list()
    of_train = found["text"][split == "train", 0]
    np.testing.assert_allclose(of_train.mean(axis=0), 0, atol=1e-5)
