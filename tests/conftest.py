"""What tests share: a small configuration, a small corpus and features made by the tests themselves."""

import copy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import yaml

from trml.config.load import check
from trml.config.params import Params
from trml.corpora.pantomime import build as pantomime
from trml.corpora.pantomime.config import Sizes
from trml.features.contract import FeatureInfo, FeatureSet, read_features
from trml.features.encode import encode_shard
from trml.features.encoders.registry import Encoding
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.gather import gather
from trml.training.new_method import Settings

ROOT = Path(__file__).parents[1]
SETTINGS = Settings(
    experiment_seed=1,
    corpus="made",
    epochs=3,
    patience=3,
    batch_size=16,
    learning_rate=0.005,
    weight_decay=0.01,
    clip_norm=1.0,
    chunk=3,
)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def default_raw() -> dict[str, Any]:
    """The committed params.yaml as a plain mapping."""
    return yaml.safe_load((ROOT / "params.yaml").read_text())


@pytest.fixture
def raw(default_raw: dict[str, Any]) -> dict[str, Any]:
    """A copy of it that a test may change."""
    return copy.deepcopy(default_raw)


@pytest.fixture
def params(default_raw: dict[str, Any]) -> Params:
    return check(default_raw)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, default_raw: dict[str, Any]) -> Path:
    """A small pantomime: 12 / 4 / 4 utterances, 64 pairs to pretrain on and 24 held out. Not to be changed."""
    config = check(default_raw).corpus
    config = replace(config, utterances=Sizes(train=12, valid=4, test=4), pretraining_pairs=64, heldout_pairs=24)
    folder = tmp_path_factory.mktemp("corpus")
    pantomime.build(config, folder, folder, "x", 1)
    return folder


def small_clip(raw: dict[str, Any], batch_size: int) -> TinyClipEncoder:
    """The tiny CLIP of a configuration at a size for tests, pretrained for one epoch and with its bar lifted."""
    config = check(raw).encoder
    assert isinstance(config, TinyClipEncoder)
    small = {"width": 32, "layers": 1}
    return replace(
        config,
        embed_dim=16,
        vision=replace(config.vision, **small, head_width=16),
        text=replace(config.text, **small, heads=2),
        pretraining=replace(config.pretraining, epochs=1, batch_size=16, retrieval_bar=None),
        batch_size=batch_size,
    )


def encoded(config: Encoding, corpus: Path, encoder: Path | None = None, data: Path = Path()) -> FeatureSet:
    """The features of a corpus, by the way the workflow goes: encoded in one shard, gathered, read."""
    with TemporaryDirectory() as temporary:
        chunks, folder = Path(temporary) / "chunks", Path(temporary) / "features"
        folder.mkdir()
        encode_shard(config, corpus, data, encoder, chunks, (0, 1), torch.device("cpu"))
        gather(config, corpus, encoder, chunks, folder, "x")
        return read_features(folder)


def made_features(seed: int = 0, n: int = 90, d: int = 8, frames: int = 4, classes: int = 0) -> FeatureSet:
    """Features whose label is in both modalities: text and frames are noisy views of one hidden number."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=n)
    text = rng.normal(size=(n, d)).astype(np.float32)
    clip = rng.normal(size=(n, frames, d)).astype(np.float32)
    text[:, 0] += 2 * hidden
    clip[:, :, 1] += 2 * hidden[:, None]
    mask = np.ones((n, frames), dtype=bool)
    mask[::7, -1] = False
    label = np.digitize(hidden, [-0.5, 0.5]).astype(np.int32) if classes else np.clip(hidden, -3, 3).astype(np.float32)
    split = np.array(["train"] * (n // 3 * 2) + ["valid"] * (n // 6) + ["test"] * (n - n // 3 * 2 - n // 6))
    index = pl.DataFrame({"utterance_id": [f"u{i}" for i in range(n)], "split": split, "label": label})
    task = "classification" if classes else "regression"
    info = FeatureInfo("made", "made by a test", True, None, task, ["low", "mid", "high"][:classes], "made")
    return FeatureSet(info, index, text, clip, mask, np.ones((n, 2), dtype=bool))
