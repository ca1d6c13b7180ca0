"""From a configuration to a loaded encoder, and to what features.json says of it."""

from pathlib import Path

import torch

from trml.config import (
    Encoding,
    GivenEncoder,
    OpenClipEncoder,
    SeparateEncoder,
    TinyClipEncoder,
    TinySeparateEncoder,
    TransformersClipEncoder,
)
from trml.corpora.contract import CorpusInfo
from trml.encoders.base import Encoder
from trml.encoders.clip import load_open_clip, load_tiny_clip
from trml.features import FeatureInfo
from trml.store import read_json


def load_encoder(config: Encoding, folder: Path | None, device: torch.device) -> Encoder:
    """The encoder, on the device. `folder` is where the workflow pretrained it, if it did. transformers is imported by
    the encoders that need it."""
    encoder: Encoder
    if isinstance(config, OpenClipEncoder):
        encoder = load_open_clip(config, device)
    elif isinstance(config, TransformersClipEncoder):
        from trml.encoders.transformers_clip import load_transformers_clip

        encoder = load_transformers_clip(config)
    elif isinstance(config, SeparateEncoder):
        from trml.encoders.separate import load_separate

        encoder = load_separate(config)
    elif isinstance(config, TinySeparateEncoder):
        from trml.encoders.separate import load_tiny_separate

        assert folder is not None
        encoder = load_tiny_separate(config, folder)
    else:
        assert folder is not None
        encoder = load_tiny_clip(config, folder)
    encoder.to(device)
    return encoder


def describe(config: Encoding | GivenEncoder, folder: Path | None, info: CorpusInfo, digest: str) -> FeatureInfo:
    """What features.json says, without loading the encoder: where its weights come from, whether its spaces are
    aligned."""
    record, aligned = None, True
    if isinstance(config, GivenEncoder):
        weights, aligned = "the corpus's own features", False
    elif isinstance(config, OpenClipEncoder):
        weights = f"{config.model}, {config.pretrained or Path(config.checkpoint or '').name}"
    elif isinstance(config, TransformersClipEncoder):
        weights = f"{config.model}, through transformers"
    elif isinstance(config, SeparateEncoder):
        weights = f"text by {config.text}, pictures by {config.vision}, two models that never saw each other"
        aligned = False
    elif isinstance(config, TinyClipEncoder):
        assert folder is not None
        record = read_json(folder / "encoder.json")
        aligned = record["bar"] is not None
        weights = f"pretrained by the workflow on {record['train_pairs']} pairs of {info.name}"
    else:
        assert folder is not None
        weights, aligned = f"{read_json(folder / 'encoder.json')['how']} of {info.name}", False
    return FeatureInfo(config.name, weights, aligned, record, info.task, info.classes, digest)
