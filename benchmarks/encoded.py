"""Encoding as the workflow does it, in one process: all chunks in one shard, then gathered."""

import tempfile
from pathlib import Path

import torch

from trml.features.encode import encode_shard
from trml.features.encoders.common.config import EncoderConfig
from trml.features.gather import gather


def encode(config: EncoderConfig, corpus: Path, encoder: Path | None, device: torch.device) -> None:
    """Encode a corpus of media files; the features are thrown away."""
    with tempfile.TemporaryDirectory() as temporary:
        chunks, folder = Path(temporary) / "chunks", Path(temporary) / "features"
        folder.mkdir()
        encode_shard(config, corpus, corpus, encoder, chunks, (0, 1), device)
        gather(config, corpus, encoder, chunks, folder, "synthetic")
