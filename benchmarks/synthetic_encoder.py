"""A tiny CLIP with random weights, in a folder as pretraining leaves it."""

from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file

from benchmarks.synthetic import configuration
from trml.base.artifacts import write_json
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.encoders.tiny_clip.encoder import new_tiny_clip


def write_tiny_clip(folder: Path, width: int) -> TinyClipEncoder:
    """Write a tiny CLIP whose features have `width` numbers; return its configuration."""
    config = configuration("encoder=tiny_clip").encoder
    assert isinstance(config, TinyClipEncoder)
    config = replace(config, embed_dim=width, text=replace(config.text, context_length=77))
    folder.mkdir(parents=True)
    save_file(new_tiny_clip(config).model.state_dict(), folder / "model.safetensors")
    write_json(folder / "encoder.json", {"bar": None, "train_pairs": 0})
    return config
