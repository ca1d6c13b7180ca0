"""CMU-MOSI with given features of three modalities."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from conftest import ROOT
from trml.base.errors import ContractError
from trml.corpora.contract import read_corpus
from trml.corpora.mosi_features import build
from trml.corpora.mosi_features.config import MosiConfig
from trml.corpora.registry import build_corpus, shipped
from trml.features.contract import read_features
from trml.features.given import take_given

REAL = ROOT.parent / "shared" / "data"
CONFIG = shipped(ROOT / "config")["mosi"]
WIDTHS = {"text": 100, "video": 100, "audio": 73}
N = 60


@pytest.fixture
def data(tmp_path):
    """Return a data folder with twelve videos of five utterances."""
    rng, folder = np.random.default_rng(0), tmp_path / "data" / "mosi"
    folder.mkdir(parents=True)
    ids = [f"v{i // 5:02d}_{i % 5}" for i in range(N)]
    columns = {
        "utt_id": ids,
        "video_id": [name.partition("_")[0] for name in ids],
        "text": [f"SENTENCE {i}" for i in range(N)],
        "start_s": [float(i % 5) for i in range(N)],
        "end_s": [i % 5 + 0.5 for i in range(N)],
        "sentiment": np.linspace(-3, 3, N),
        "bclstm_split": ["train" if i < 45 else "test" for i in range(N)],
    }
    pl.DataFrame(columns).write_csv(folder / "mosi_utterances.csv")
    arrays = {name: rng.normal(50, 9, (N, width)).astype(np.float32) for name, width in WIDTHS.items()}
    np.savez(folder / "mosi_features.npz", utt_id=np.array(ids), **arrays)
    return tmp_path / "data"


def built(data, **changed):
    folder = data / f"corpus{len(list(data.iterdir()))}"
    folder.mkdir()
    build_corpus(replace(CONFIG, valid_videos=3, **changed), data, folder, "x", 1)
    return folder


def test_three_modalities_by_default(data):
    assert isinstance(CONFIG, MosiConfig)
    folder = built(data)
    info, table = read_corpus(folder)
    assert info.modalities == ["text", "vision", "audio"] == list(CONFIG.modalities)
    raw = np.load(data / "mosi/mosi_features.npz")
    for modality, key in (("text", "text"), ("vision", "video")):
        np.testing.assert_array_equal(np.load(folder / f"given/{modality}.npy")[:, 0], raw[key])
    audio, train = np.load(folder / "given/audio.npy")[:, 0], (table["split"] == "train").to_numpy()
    np.testing.assert_allclose(audio[train].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(audio[train].std(axis=0), 1, rtol=1e-4)
    assert table["clip"][7] == "given/vision.npy#7"
    assert table.group_by("split").agg(pl.col("video_id").n_unique()).sort("split").rows() == [
        ("test", 3), ("train", 6), ("valid", 3),
    ]  # fmt: skip


def test_the_way_to_features(data):
    (data / "features").mkdir()
    take_given(built(data), data / "features", "x")
    features = read_features(data / "features")
    assert {name: view.values.shape for name, view in features.signals.items()} == {
        "text": (N, 1, 100), "vision": (N, 1, 100), "audio": (N, 1, 73),
    }  # fmt: skip
    assert all(view.mask.all() for view in features.signals.values())


@pytest.mark.parametrize("modalities", [["text", "vision"], ["text", "audio"]])
def test_modalities_can_be_chosen_and_leave_the_others_as_they_are(data, modalities):
    every, some = built(data), built(data, modalities=modalities)
    info, table = read_corpus(some)
    assert info.modalities == modalities
    assert sorted(path.name for path in (some / "given").iterdir()) == sorted(
        f"{modality}{end}.npy" for modality in modalities for end in ("", "_mask")
    )
    for path in (some / "given").iterdir():
        assert path.read_bytes() == (every / "given" / path.name).read_bytes()
    assert table["clip"].is_null().all() == ("vision" not in modalities)


def test_features_of_other_utterances_are_refused(data):
    path = data / "mosi/mosi_features.npz"
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "utt_id": arrays["utt_id"][::-1]})
    with pytest.raises(ContractError, match="do not list the same utterances in the same order"):
        built(data)


def one_is(value):
    """Change a row of an array."""

    def change(array):
        array = array.astype(np.float64)
        array[3] = value
        return array

    return change


ARRAYS = {
    "NaN": ("text", one_is(np.nan), "text: row 3 with a value that is not finite; expected finite numbers of 4 bytes"),
    "all NaN": ("text", lambda array: array * np.nan, "text: row 0, and 59 more, with a value that is not finite"),
    "infinite": ("video", one_is(-np.inf), "video: row 3 with a value that is not finite"),
    "too large": ("audio", one_is(1e300), "audio: row 3 with a value that is not finite"),
    "far from train": (
        "audio",
        lambda array: np.linspace(0, 1e-30, array.size).reshape(array.shape) + 1e30 * (np.arange(N) > 50)[:, None],
        "audio, scaled to deviation 1 in split train: row 51, and 8 more, with a value that is not finite",
    ),
    "a width": ("audio", lambda array: array[:, :5], "audio: found [60, 5] of float32; expected numbers [60, 73]"),
    "a character beyond Unicode": (
        "utt_id",
        lambda array: np.frombuffer(np.full(N, 0x110000, "<u4").tobytes(), "<U1"),
        "utt_id: it cannot be read (invalid maximum character",
    ),
    "another id": (
        "utt_id",
        lambda array: np.where(np.arange(N) == 7, "other", array),
        "do not list the same utterances in the same order: row 7 of utt_id is 'other', and line 9 has 'v01_2'",
    ),
    "two columns of ids": ("utt_id", lambda array: np.stack([array, array]), "utt_id has [2, 60], the table 60 rows"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_are_not_as_expected(data, case):
    key, change, words = ARRAYS[case]
    path = data / "mosi/mosi_features.npz"
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, key: change(arrays[key])})
    with pytest.raises(ContractError) as refusal:
        built(data)
    assert str(path) in str(refusal.value)
    assert words in str(refusal.value)


TABLES = {
    "UTF-16": (lambda text: text.encode("utf-16"), " is UTF-16; expected UTF-8"),
    "latin-1": (lambda text: text.replace("SENTENCE 5", "é").encode("latin-1"), " line 7: byte 0xe9 is not UTF-8"),
    "a word": (
        lambda text: text.replace("-3.0,", "good,"),
        " line 2: sentiment is 'good'; expected a number from -3 to 3",
    ),
    "no label": (lambda text: text.replace("-3.0,", ","), " line 2: sentiment is ''; expected a number"),
    "not finite": (lambda text: text.replace("-3.0,", "NaN,"), " line 2: sentiment is 'NaN'; expected a number"),
    "out of range": (
        lambda text: text.replace("-3.0,", "3.0000000000000004,"),
        " line 2: sentiment is '3.0000000000000004'",
    ),
    "a column twice": (
        lambda text: text.replace("start_s", "text"),
        " line 1: column 'text' is listed twice; expected each name once",
    ),
    "no column": (
        lambda text: text.replace("start_s", "start"),
        " line 1: it has no column start_s; found utt_id, video_id,",
    ),
    "no split": (lambda text: text.replace(",train", ",", 1), " line 2: bclstm_split is ''; expected train or test"),
    "another split": (
        lambda text: text.replace(",test", ",Test"),
        " line 47: bclstm_split is 'Test'; expected train or",
    ),
    "no id": (lambda text: text.replace("v00_3,", " ,"), " line 5: utt_id is ' '; expected a name"),
    "times": (lambda text: text.replace("3.0,3.5", "3.5,3.0", 1), " line 5: end_s is 3, before start_s, 3.5"),
    "an open quote": (
        lambda text: text.replace("SENTENCE 59", '"SENTENCE 59'),
        " line 61: a double quote is never closed",
    ),
    "a cell too few": (lambda text: text.replace("SENTENCE 5,", ""), " line 7: 6 cells; expected 7, as in the header"),
    "one label": (
        lambda text: re.sub(r"[-0-9.]+(,t[a-z]+)", r"1.5\1", text),
        ": every label is 1.5; expected two different",
    ),
    "nothing": (lambda text: "", " is empty; expected a line of column names"),
    "a header": (lambda text: text.split("\n")[0], " has no rows; expected one for each utterance"),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_are_not_as_expected(data, case):
    change, words = TABLES[case]
    path = data / "mosi/mosi_utterances.csv"
    content = change(path.read_text())
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ContractError) as refusal:
        built(data)
    assert f"{path}{words}" in str(refusal.value)


def test_texts_of_digits_are_texts(data):
    path = data / "mosi/mosi_utterances.csv"
    path.write_text(path.read_text().replace("SENTENCE ", "0"))
    assert read_corpus(built(data))[1]["text"][:2].to_list() == ["00", "01"]


def test_utterances_are_counted(data, monkeypatch):
    monkeypatch.setattr(build, "_AN_UTTERANCE", 1 << 25)
    with pytest.raises(ContractError, match=r"mosi_utterances\.csv has 60 utterances; expected at most 16 for"):
        built(data)


@pytest.mark.skipif(not (REAL / "mosi").is_dir(), reason="needs the features of CMU-MOSI beside the repository")
def test_the_real_features(tmp_path):
    build_corpus(CONFIG, REAL, tmp_path, "x", 1)
    info, table = read_corpus(tmp_path)
    assert table.height == 2199
    assert dict(table.group_by("split").len().iter_rows()) == {"train": 1206, "valid": 241, "test": 752}
    shapes = {modality: np.load(tmp_path / f"given/{modality}.npy").shape for modality in info.modalities}
    assert shapes == {"text": (2199, 1, 100), "vision": (2199, 1, 100), "audio": (2199, 1, 73)}
