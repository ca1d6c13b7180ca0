"""Load the two models that the workflow pretrained apart."""

from pathlib import Path

import torch

from trml.features.encoders.common.from_hub import TEXT, VISION
from trml.features.encoders.common.separate import Separate, load_separate
from trml.features.encoders.tiny_separate.config import TinySeparateEncoder


def load(config: TinySeparateEncoder, folder: Path | None, device: torch.device) -> Separate:
    """Load the models that `pretrain` saved in `folder`, each in its own folder."""
    assert folder is not None
    return load_separate(config.name, str(folder / TEXT), str(folder / VISION), device)
