"""Load a text model and a picture model of transformers."""

from pathlib import Path

import torch

from trml.features.encoders.common.separate import Separate, load_separate
from trml.features.encoders.separate.config import SeparateEncoder


def load(config: SeparateEncoder, folder: Path | None, device: torch.device) -> Separate:
    """Load the two models; raise WeightsMissing if one is unavailable."""
    return load_separate(config.name, config.text, config.vision, device)
