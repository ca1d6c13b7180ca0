"""TODO docstring."""

import difflib
from pathlib import Path

import torch

from trml.base.errors import WeightsMissing
from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.common.vocabulary import check_vocabulary
from trml.features.encoders.open_clip.config import OpenClipEncoder


def load_open_clip(config: OpenClipEncoder, device: torch.device) -> Clip:
    """A model that open_clip knows by name, its weights from a pretrained tag or from a local file.

    Raises WeightsMissing that says which weights, where they were looked for and how to bring them.
    """
    known = open_clip.list_models()
    if config.model not in known:
        near = difflib.get_close_matches(config.model, known, n=3)
        raise WeightsMissing(f"encoder {config.name}: open_clip has no model {config.model!r}; near are {near}")
    if config.checkpoint is not None and not Path(config.checkpoint).is_file():
        raise WeightsMissing(
            f"encoder {config.name}: checkpoint {config.checkpoint} is not a file; expected weights of "
            f"{config.model} (.safetensors or .pt). Bring it there or set encoder.checkpoint=<file>"
        )
    tags = open_clip.list_pretrained_tags_by_model(config.model)
    if config.pretrained is not None and config.pretrained not in tags:
        raise WeightsMissing(
            f"encoder {config.name}: open_clip has no tag {config.pretrained!r} of {config.model}; "
            + (f"it has {', '.join(tags)}" if tags else "it has none, set encoder.checkpoint=<file>")
        )
    try:
        model, transform = open_clip.create_model_from_pretrained(
            config.model, pretrained=config.checkpoint or config.pretrained, device=device
        )
    except Exception as error:  # open_clip, the hub client and torch each raise their own kinds
        raise WeightsMissing(_how_to_bring(config, error)) from None
    tokenizer = open_clip.get_tokenizer(config.model)
    check_vocabulary(tokenizer, config.name)
    return Clip(model.eval(), transform, tokenizer)


def _how_to_bring(config: OpenClipEncoder, error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
    if config.checkpoint is not None:
        return f"encoder {config.name}: {config.checkpoint} does not hold weights of {config.model}: {reason}"
    source = open_clip.get_pretrained_cfg(config.model, config.pretrained)
    return (
        f"encoder {config.name}: the weights of {config.model} with tag {config.pretrained!r} cannot be had: not in "
        f"the cache {HF_HUB_CACHE}, and the download of {source.get('hf_hub') or source.get('url')} failed ({reason}). "
        "Run once where there is a network, or bring the file and set encoder.pretrained=null encoder.checkpoint=<file>"
    )
