"""TODO docstring."""

from pathlib import Path

from trml.features.encoders.common.from_hub import TEXT, VISION
from trml.features.encoders.separate.config import SeparateEncoder
from trml.features.encoders.separate.encoder import Separate, load_separate
from trml.features.encoders.tiny_separate.config import TinySeparateEncoder


def load_tiny_separate(config: TinySeparateEncoder, folder: Path) -> Separate:
    """The pair that encoders/pretrain_separate.py saved in `folder`, each in a folder of its own."""
    sources = str(folder / TEXT), str(folder / VISION)
    return load_separate(
        SeparateEncoder("separate", config.name, *sources, config.frames, config.frames_per_second, config.batch_size)
    )
