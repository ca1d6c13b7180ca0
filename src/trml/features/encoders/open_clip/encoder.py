"""Load models of open_clip by name, with weights from a pretrained tag or from a local file."""

import difflib
from pathlib import Path

import torch

from trml.base.errors import WeightsMissing
from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.common.vocabulary import check_vocabulary
from trml.features.encoders.open_clip.config import OpenClipEncoder


def load(config: OpenClipEncoder, folder: Path | None, device: torch.device) -> Clip:
    """Load the model.

    Raises:
        WeightsMissing: If open_clip does not know the model or the tag, or the weights cannot be loaded.
    """
    config.weights_files()
    _require_known(config)
    try:
        model, transform = open_clip.create_model_from_pretrained(
            config.model, pretrained=config.checkpoint or config.tag, device=device
        )
    except Exception as error:  # open_clip, the hub client and torch each raise their own kinds
        raise WeightsMissing(_unavailable(config, error)) from None
    tokenizer = open_clip.get_tokenizer(config.model)
    check_vocabulary(tokenizer, config.name)
    return Clip(model.eval(), transform, tokenizer)


def _require_known(config: OpenClipEncoder) -> None:
    known = open_clip.list_models()
    if config.model not in known:
        near = difflib.get_close_matches(config.model, known, n=3)
        raise WeightsMissing(f"encoder {config.name}: open_clip has no model {config.model!r}; near are {near}")
    tags = open_clip.list_pretrained_tags_by_model(config.model)
    if config.tag is not None and config.tag not in tags:
        raise WeightsMissing(
            f"encoder {config.name}: open_clip has no tag {config.tag!r} of {config.model}; "
            + (f"it has {', '.join(tags)}" if tags else "it has none, set encoder.checkpoint=<file>")
        )


def _unavailable(config: OpenClipEncoder, error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
    if config.checkpoint is not None:
        return f"encoder {config.name}: {config.checkpoint} does not hold weights of {config.model}: {reason}"
    source = open_clip.get_pretrained_cfg(config.model, config.tag)
    return (
        f"encoder {config.name}: the weights of {config.model} with tag {config.tag!r} are unavailable: not in "
        f"the cache {HF_HUB_CACHE}, and the download of {source.get('hf_hub') or source.get('url')} failed ({reason}). "
        "Run once with a network, or provide the file and set encoder.tag=null encoder.checkpoint=<file>"
    )
