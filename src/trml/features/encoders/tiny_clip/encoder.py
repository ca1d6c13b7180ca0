"""TODO docstring."""

from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file

from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import PreprocessCfg, image_transform_v2, open_clip
from trml.features.encoders.tiny_clip.config import TinyClipEncoder


def new_tiny_clip(config: TinyClipEncoder) -> Clip:
    """open_clip's own CLIP class at the size of the configuration, with fresh weights from torch's current RNG."""
    model = open_clip.CLIP(embed_dim=config.embed_dim, vision_cfg=asdict(config.vision), text_cfg=asdict(config.text))
    transform = image_transform_v2(PreprocessCfg(size=config.vision.image_size), is_train=False)
    tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=config.text.context_length)
    return Clip(model.eval(), transform, tokenizer)


def load_tiny_clip(config: TinyClipEncoder, folder: Path) -> Clip:
    """The tiny CLIP that encoders/pretrain.py saved in `folder`."""
    clip = new_tiny_clip(config)
    clip.model.load_state_dict(load_file(folder / "model.safetensors"))
    return clip
