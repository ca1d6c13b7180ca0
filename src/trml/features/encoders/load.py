"""From a configuration to a loaded encoder, and to what features.json says of it."""

from pathlib import Path

import torch

from trml.base.artifacts import read_json
from trml.corpora.contract import CorpusInfo
from trml.features.contract import FeatureInfo
from trml.features.encoders.contract import Encoder
from trml.features.encoders.given.config import GivenEncoder
from trml.features.encoders.open_clip.config import OpenClipEncoder
from trml.features.encoders.open_clip.encoder import load_open_clip
from trml.features.encoders.registry import Encoding
from trml.features.encoders.separate.config import SeparateEncoder
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.encoders.tiny_clip.encoder import load_tiny_clip
from trml.features.encoders.tiny_separate.config import TinySeparateEncoder
from trml.features.encoders.transformers_clip.config import TransformersClipEncoder


def load_encoder(config: Encoding, folder: Path | None, device: torch.device) -> Encoder:
    """The encoder, on the device. `folder` is where the workflow pretrained it, if it did. transformers is imported by
    the encoders that need it."""
    encoder: Encoder
    if isinstance(config, OpenClipEncoder):
        encoder = load_open_clip(config, device)
    elif isinstance(config, TransformersClipEncoder):
        from trml.features.encoders.transformers_clip.encoder import load_transformers_clip

        encoder = load_transformers_clip(config)
    elif isinstance(config, SeparateEncoder):
        from trml.features.encoders.separate.encoder import load_separate

        encoder = load_separate(config)
    elif isinstance(config, TinySeparateEncoder):
        from trml.features.encoders.tiny_separate.encoder import load_tiny_separate

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
