"""Load the CLIP that the workflow pretrained."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from scipy.linalg import block_diag
from scipy.stats import special_ortho_group

from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import PreprocessCfg, image_transform_v2, open_clip
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.seeding import generator


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
    if config.rotated:
        _rotate(clip, config.embed_dim)
    clip.model.to(device)
    return clip


def _rotate(clip: Clip, width: int) -> None:
    """Turn the last projection of either tower by a rotation of its own: distances within a modality stay."""
    parameters = dict(clip.model.named_parameters())
    for name, modality in (("text_projection", "text"), ("visual.proj", "vision")):
        turn = rotation(width, generator(0, "rotation", modality))
        parameters[name].data = parameters[name].data @ torch.from_numpy(turn).to(parameters[name].dtype)


def rotation(width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random rotation [width, width] that leaves the direction of ones as it is.

    Features are standardised, which takes that direction out of every vector: what is left is turned as a whole.
    """
    basis, _ = np.linalg.qr(np.column_stack([np.ones(width), np.eye(width)[:, 1:]]))
    turn = block_diag(1.0, special_ortho_group.rvs(width - 1, random_state=rng))
    return np.asarray(basis @ turn @ basis.T)
