"""CMU-MOSI with given features of three modalities."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from conftest import ROOT
from trml.base.errors import ContractError
from trml.corpora.contract import read_corpus
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


@pytest.mark.skipif(not (REAL / "mosi").is_dir(), reason="needs the features of CMU-MOSI beside the repository")
def test_the_real_features(tmp_path):
    build_corpus(CONFIG, REAL, tmp_path, "x", 1)
    info, table = read_corpus(tmp_path)
    assert table.height == 2199
    assert dict(table.group_by("split").len().iter_rows()) == {"train": 1206, "valid": 241, "test": 752}
    shapes = {modality: np.load(tmp_path / f"given/{modality}.npy").shape for modality in info.modalities}
    assert shapes == {"text": (2199, 1, 100), "vision": (2199, 1, 100), "audio": (2199, 1, 73)}
