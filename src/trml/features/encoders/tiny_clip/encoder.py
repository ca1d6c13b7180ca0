"""Load the CLIP that the workflow pretrained."""

from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file

from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import PreprocessCfg, image_transform_v2, open_clip
from trml.features.encoders.tiny_clip.config import TinyClipEncoder


def new_tiny_clip(config: TinyClipEncoder) -> Clip:
    """Return a CLIP of open_clip's class, with fresh weights from torch's current generator."""
    model = open_clip.CLIP(embed_dim=config.embed_dim, vision_cfg=asdict(config.vision), text_cfg=asdict(config.text))
    transform = image_transform_v2(PreprocessCfg(size=config.vision.image_size), is_train=False)
    tokenizer = open_clip.tokenizer.SimpleTokenizer(context_length=config.text.context_length)
    return Clip(model.eval(), transform, tokenizer)


def load(config: TinyClipEncoder, folder: Path | None, device: torch.device) -> Clip:
    """Load the CLIP that `pretrain` saved in `folder`."""
    assert folder is not None
    clip = new_tiny_clip(config)
    clip.model.load_state_dict(load_file(folder / "model.safetensors"))
    clip.model.to(device)
    return clip
