"""Given features: every layout arrives whole, what is not finite or padding is dealt with as stated, scaling knows the
training part alone, and what is wrong is said with file, key, found and expected."""

import json
import pickle
import zipfile
from dataclasses import replace

import h5py
import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from conftest import ROOT
from trml.base.errors import ContractError, PickleRefused
from trml.corpora.contract import SPLITS, read_corpus
from trml.corpora.feature_files import build as arrays
from trml.corpora.feature_files import scaling as given
from trml.corpora.feature_files import sequences
from trml.corpora.feature_files.config import ArraysConfig
from trml.features.contract import read_features
from trml.features.given import take_given

CONFIG = ArraysConfig("arrays", "arrays", "given", ["features"], "regression", [], 8)
SIZES = {"train": 6, "valid": 3, "test": 4}
N, L, T, D_TEXT, D_VISION = 13, 5, 7, 4, 3
SPLIT = [split for split, n in SIZES.items() for _ in range(n)]


def numbers(seed=0):
    """Text [N, L, 4] padded behind, vision [N, T, 3] padded before, and how many rows of each are there."""
    rng = np.random.default_rng(seed)
    text, vision = rng.normal(5, 2, (N, L, D_TEXT)), rng.normal(-3, 9, (N, T, D_VISION))
    words, frames = rng.integers(1, L + 1, N), rng.integers(1, T + 1, N)
    for i in range(N):
        text[i, words[i] :] = 0
        vision[i, : T - frames[i]] = 0
    return text, vision, words, frames


def by_split(**columns):
    """A dict of splits of columns of N rows."""
    bounds = np.cumsum([0, *SIZES.values()])
    return {
        split: {key: column[a:b] for key, column in columns.items()}
        for split, a, b in zip(SIZES, bounds, bounds[1:], strict=False)
    }


def npz_columns():
    text, vision, _, _ = numbers()
    return {
        "text": text,
        "video": vision,
        "label": np.linspace(-3, 3, N),
        "split": np.array(SPLIT),
        "utterance_id": np.array([f"v{i // 2}_{i % 2}" for i in range(N)]),
        "raw_text": np.array([f"sentence {i}" for i in range(N)]),
    }


def mmsa_columns():
    """MMSA's: vision is padded behind here, and has its lengths; a BERT's vectors stand where there are no tokens."""
    text, vision, words, frames = numbers()
    for i in range(N):
        vision[i] = np.roll(vision[i], frames[i], axis=0)
        text[i, words[i] :] = 99
    bert = np.zeros((N, 3, L))
    bert[:, 1] = np.arange(L) < words[:, None]
    labels = np.linspace(-3, 3, N).astype(np.float32)
    return {
        "raw_text": np.array([f"sentence {i}" for i in range(N)]),
        "audio": np.full((N, 3, 2), -np.inf),
        "vision": vision,
        "id": np.array([f"v{i // 2}$_${i % 2}" for i in range(N)]),
        "text": text.astype(np.float32),
        "text_bert": bert,
        "audio_lengths": [3] * N,
        "vision_lengths": frames.tolist(),
        "annotations": np.array(["Negative", "Neutral", "Positive"])[np.sign(labels).astype(int) + 1],
        "classification_labels": np.sign(labels) + 1,
        "regression_labels": labels,
    }


def mult_columns(labels=(1, 1), ids=3):
    """MulT's: ids are rows of bytes: video_clip (MOSI), or video, start, end (MOSEI)."""
    text, vision, _, _ = numbers()
    if ids == 1:
        names = np.array([[f"v{i // 2}_{i % 2}".encode()] for i in range(N)])
    else:
        names = np.array([[f"v{i // 2}".encode(), f"{i}.5".encode(), f"{i + 1}.0".encode()] for i in range(N)])
    label = np.repeat(np.linspace(-3, 3, N)[:, None], np.prod(labels), axis=1).reshape(N, *labels)
    return {"vision": vision, "text": text, "audio": np.full((N, 2, 5), -np.inf), "labels": label, "id": names}


def write_csd(path, content, name="CMU_MOSI_Something"):
    with h5py.File(path, "w") as file:
        for video, (intervals, features) in content.items():
            file[f"{name}/data/{video}/intervals"] = intervals
            file[f"{name}/data/{video}/features"] = features


@pytest.fixture
def brought(tmp_path):
    """Write a layout where CONFIG expects it, build the corpus, and give its folder."""

    def build(content, config=CONFIG):
        path = tmp_path / "given" / "features"
        path.parent.mkdir(exist_ok=True)
        if content is not None:
            with path.open("wb") as file:
                if "split" in content:
                    np.savez(file, **content)
                else:
                    pickle.dump(content, file, protocol=4)
        folder = tmp_path / f"corpus{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        arrays.build(config, tmp_path, folder, "x", 1)
        return folder

    return build


def read(folder):
    info, table = read_corpus(folder)
    loaded = {name: np.load(folder / "given" / f"{name}.npy") for name in ("text", "frames", "frame_mask", "present")}
    return info, table, loaded


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
    np.testing.assert_allclose(found["text"], text, rtol=1e-4, atol=1e-5)
    assert found["frame_mask"].sum(axis=1).tolist() == [len(clip) for clip in clips]
    for i, clip in enumerate(clips):
        np.testing.assert_allclose(found["frames"][i, : len(clip)], clip, rtol=1e-4, atol=1e-5)
        assert not found["frames"][i, len(clip) :].any()
    assert found["present"].all()
    assert {k: v.dtype.name for k, v in found.items()} == {
        "text": "float32", "frames": "float32", "frame_mask": "bool", "present": "bool",
    }  # fmt: skip
    of_mosei = layout in ("MulT, MOSEI", "MulT, seven labels")
    assert table["utterance_id"][3] == ("v1_3.5_4.0" if of_mosei else "v1_1")
    assert table["end_s"][3] == (4.0 if of_mosei else 0.0)
    raw = layout == "npz" or "MMSA" in layout
    assert table["text"][3] == ("sentence 3" if raw else "")
    assert table["clip"][3] == "given/frames.npy#3"


def test_the_way_to_features(brought, tmp_path):
    (tmp_path / "features").mkdir()
    take_given(brought(npz_columns()), tmp_path / "features", "x")
    features = read_features(tmp_path / "features")
    assert features.frames.shape == (N, max(numbers()[3]), D_VISION)


def test_two_dimensions_are_one_row(brought):
    columns = {k: v[:, 0] if k == "text" else v[:, -1] if k == "video" else v for k, v in npz_columns().items()}
    _, _, found = read(brought(columns))
    assert found["frames"].shape == (N, 1, D_VISION)


def test_compressed_npz(brought, tmp_path):
    plain = brought(npz_columns())
    np.savez_compressed(tmp_path / "given" / "x.npz", **npz_columns())
    (tmp_path / "given" / "x.npz").rename(tmp_path / "given" / "features")
    packed = brought(None)
    assert (plain / "given/frames.npy").read_bytes() == (packed / "given/frames.npy").read_bytes()


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
    assert found["frames"].shape[1] == 3
    of = int(np.argmax([len(clip) for clip in clips]))
    chosen = [clip[np.linspace(0, len(clip) - 1, min(3, len(clip))).round().astype(int)] for clip in numbers_of_clips()]
    train = np.concatenate(chosen[: SIZES["train"]])
    np.testing.assert_allclose(
        found["frames"][of], (chosen[of] - train.mean(axis=0)) / train.std(axis=0), rtol=1e-4, atol=1e-5
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
    assert found["frame_mask"][of].sum() == max(mmsa_columns()["vision_lengths"])


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
    assert "7 rows without a finite value are not there; 1 clips are missing" in note
    assert "1 of 3 columns are constant in split train and are 0" in note
    assert f"corpus arrays: {note}" in capsys.readouterr().err
    assert found["present"].tolist() == [[i != 2, i != 1] for i in range(N)]
    assert not found["frames"][:, :, 2].any()
    assert not found["text"][2].any()
    assert all(np.isfinite(array).all() for array in found.values())
    assert table["text"][2] == "sentence 2"


def test_scaling_knows_the_training_part_alone(brought):
    _, _, before = read(brought(npz_columns()))
    columns, held_out = npz_columns(), np.array(SPLIT) != "train"
    columns["text"][held_out] *= 100
    columns["video"][held_out] += 1000
    _, _, after = read(brought(columns))
    for name in ("text", "frames"):
        assert before[name][~held_out].tobytes() == after[name][~held_out].tobytes()
        assert not np.allclose(before[name][held_out], after[name][held_out])
    of_train = after["frames"][~held_out][after["frame_mask"][~held_out]]
    np.testing.assert_allclose(of_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(of_train.std(axis=0), 1, rtol=1e-5)


def test_a_large_mean_costs_no_digits(brought):
    columns = npz_columns()
    columns["text"] = (np.random.default_rng(1).integers(0, 9, (N, 1, 2)) + 2**20).astype(np.float32)
    _, _, found = read(brought(columns))
    raw = columns["text"][:, 0].astype(np.float64)
    of_train = raw[: SIZES["train"]]
    np.testing.assert_allclose(
        found["text"], (raw - of_train.mean(axis=0)) / of_train.std(axis=0), rtol=1e-4, atol=1e-5
    )


def test_what_is_left_out(brought):
    columns = npz_columns()
    columns["label"][1] = np.nan
    columns["text"][3], columns["video"][3] = 0, np.nan
    folder = brought(columns)
    _, table, found = read(folder)
    left_out = pl.read_parquet(folder / "left_out.parquet").rows()
    assert left_out == [("v0_1", "no label"), ("v1_1", "neither text nor frames")]
    assert table.height == len(found["text"]) == len(found["frames"]) == N - 2
    clips = numbers_of_clips()
    assert found["frame_mask"].sum(axis=1).tolist() == [len(clip) for i, clip in enumerate(clips) if i not in (1, 3)]


# --- computational sequences -------------------------------------------------------------------------------

VIDEOS = {"vidA": "train", "vidB": "valid", "vidC": "test", "vidD": "none"}


@pytest.fixture
def csd(tmp_path, monkeypatch):
    """Three .csd of four videos of two segments, and folds that know three of the videos."""
    (tmp_path / "folds").mkdir()
    folds = {split: [video for video, of in VIDEOS.items() if of == split] for split in SPLITS}
    (tmp_path / "folds" / "cmu_mosi.json").write_text(json.dumps(folds))
    (tmp_path / "folds" / "cmu_mosei.json").write_text(json.dumps({split: ["other"] for split in SPLITS}))
    monkeypatch.setattr(sequences, "FOLDS", tmp_path / "folds")
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
    assert left_out == [(f"vidD[{i}]", "its video is in none of the official folds") for i in (0, 1)]
    segments = [slice(0, 4), slice(4, 10)]  # of words of half a second
    text = np.stack([csd["text"][v][1][s].mean(axis=0) for v in ("vidA", "vidB", "vidC") for s in segments])
    np.testing.assert_allclose(found["text"], (text - text[:2].mean(axis=0)) / text[:2].std(axis=0), rtol=1e-4)
    frames = [csd["vision"]["vidA"][1][chosen] for chosen in ([0, 2, 5, 7], [8, 12, 15, 19])]
    of_train = np.concatenate(frames)
    scaled = (frames[1] - of_train.mean(axis=0)) / of_train.std(axis=0)
    np.testing.assert_allclose(found["frames"][1], scaled, rtol=1e-4, atol=1e-5)


def test_sequences_in_any_order_of_time(tmp_path, brought, csd):
    ordered = read(csd_corpus(tmp_path, brought, csd))[2]
    shuffled = np.random.default_rng(0).permutation(20)
    csd["vision"] = {v: (intervals[shuffled], f[shuffled]) for v, (intervals, f) in csd["vision"].items()}
    np.testing.assert_array_equal(read(csd_corpus(tmp_path, brought, csd))[2]["frames"], ordered["frames"])


def test_a_video_without_a_sequence_lacks_the_modality(tmp_path, brought, csd):
    del csd["vision"]["vidB"]
    info, _, found = read(csd_corpus(tmp_path, brought, csd))
    assert found["present"].tolist() == [[True, row not in (2, 3)] for row in range(6)]
    assert "Videos of the labels that are not in vision.csd: 1." in info.notes


def test_folds_are_raw_files_of_sequences_alone(tmp_path, csd):
    assert [path.name for path in arrays.raw_files(SEQUENCES, tmp_path)][3:] == ["cmu_mosei.json", "cmu_mosi.json"]
    assert [path.name for path in arrays.raw_files(CONFIG, tmp_path)] == ["features"]


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


# --- what is wrong is said ---------------------------------------------------------------------------------


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
    "no text in train": (npz(text=np.zeros((N, 2))), "features: text: no utterance of split train has a text"),
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
    with pytest.raises(ContractError, match=r"features is an HDF5 file; expected one \.npz, one pickle, or three"):
        brought(None)
    with zipfile.ZipFile(folder / "features", "w") as file:
        file.writestr("archive/data.pkl", b"x")
    with pytest.raises(ContractError, match="features is a zip archive; expected one"):
        brought(None)
    (folder / "features").write_text("<html>")
    with pytest.raises(ContractError, match="features is a web page; expected one"):
        brought(None)
    (folder / "features").write_text("video,label")
    with pytest.raises(PickleRefused, match="is damaged or no pickle"):
        brought(None)


def test_an_npz_that_says_more_than_it_has(tmp_path, brought):
    np.savez(tmp_path / "x.npz", **npz_columns())
    (tmp_path / "given").mkdir()
    content = (tmp_path / "x.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "x.npz") as old, zipfile.ZipFile(tmp_path / "given/features", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"(13, 7, 3)", b"(13, 7, 9)"))
    with pytest.raises(ContractError, match=r"array 'video': it says \[13, 7, 9\] of float64, 6552 bytes; 2184 follow"):
        brought(None)
    (tmp_path / "given/features").write_bytes(content[:-30])
    with pytest.raises(ContractError, match="is a zip archive; expected one"):
        brought(None)


@pytest.mark.parametrize(("task", "classes"), [("regression", ["a", "b"]), ("classification", ["a"])])
def test_configuration_names_classes_where_there_are_some(task, classes):
    with pytest.raises(ValidationError, match=f"task {task} with {len(classes)} classes"):
        ArraysConfig("arrays", "arrays", "given", ["x"], task, classes, 8)


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
    of_train = found["text"][split == "train"]
    np.testing.assert_allclose(of_train.mean(axis=0), 0, atol=1e-5)
