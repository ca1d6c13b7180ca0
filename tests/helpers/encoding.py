"""Encoding a small corpus in process, as the workflow does."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from trml.config.load import check
from trml.features.contract import FeatureSet, read_features
from trml.features.encode import encode_shard
from trml.features.encoders.common.config import EncoderConfig
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.gather import gather


def small_clip(raw: dict[str, Any], batch_size: int) -> TinyClipEncoder:
    """Return the tiny CLIP of a configuration at a size for tests: one epoch of pretraining and no bar to pass."""
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


def encoded(config: EncoderConfig, corpus: Path, encoder: Path | None = None, data: Path = Path()) -> FeatureSet:
    """Return the features of a corpus: encoded in one shard, gathered, and read back."""
    with TemporaryDirectory() as temporary:
        chunks, folder = Path(temporary) / "chunks", Path(temporary) / "features"
        folder.mkdir()
        encode_shard(config, corpus, data, encoder, chunks, (0, 1), torch.device("cpu"))
        gather(config, corpus, encoder, chunks, folder, "x")
        return read_features(folder)
