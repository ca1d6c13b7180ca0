"""Models of transformers from a local folder or by their name on the hub, whole or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trml.base.errors import WeightsMissing
from trml.features.encoders.common.transformers import AutoImageProcessor, AutoModel, AutoTokenizer

# What a source is to hold; so are the keys of the configuration called that name it.
TEXT, VISION, MODEL = "text", "vision", "model"

_TOKENIZER, _PROCESSOR = "the tokenizer's files", "preprocessor_config.json"

_FILES = {TEXT: _TOKENIZER, VISION: _PROCESSOR, MODEL: f"{_TOKENIZER}, {_PROCESSOR}"}


def load_tokenizer(source: str) -> Any:
    """The tokenizer that lies beside a model."""
    return AutoTokenizer.from_pretrained(source)


def load_processor(source: str) -> Any:
    """The picture processor that lies beside a model; the one that works on Pillow's pictures."""
    return AutoImageProcessor.from_pretrained(source, backend="pil")


def load_pretrained(name: str, part: str, source: str, *preparers: Callable[[str], Any]) -> tuple[Any, ...]:
    """A model in evaluation mode, and what prepares its inputs.

    Raises WeightsMissing that says which weights, where they were looked for and how to bring them.
    """
    try:
        model, found = AutoModel.from_pretrained(source, output_loading_info=True, dtype=torch.float32)
        prepared = [load(source) for load in preparers]
    except Exception as error:  # transformers, the hub client and torch each raise their own kinds
        raise WeightsMissing(_how_to_bring(name, part, source, error)) from None
    # What a checkpoint lacks transformers draws at random, and says so in a log line only. Of single models the poolers
    # are not used here.
    lacking = sorted(key for key in found["missing_keys"] if part == MODEL or "pooler" not in key)
    if lacking:
        raise WeightsMissing(
            f"encoder {name}: {source} lacks {len(lacking)} weights of its {_kind(part)}, {lacking[0]} among them; "
            f"expected all. Bring a whole checkpoint or set encoder.{part}=<folder>"
        )
    return (model.eval(), *prepared)


def _kind(part: str) -> str:
    return "model" if part == MODEL else f"{part} model"


def _how_to_bring(name: str, part: str, source: str, error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
    files = f"config.json, model.safetensors and {_FILES[part]}"
    if Path(source).is_dir():
        return (
            f"encoder {name}: the folder {source} does not hold a {_kind(part)} ({reason}); expected {files}, "
            "as save_pretrained of transformers leaves them"
        )
    return (
        f"encoder {name}: the {_kind(part)} {source} cannot be had: it is no folder here, not in the cache "
        f"{HF_HUB_CACHE}, and the download failed ({reason}). Run once where there is a network, or bring a folder "
        f"with {files} and set encoder.{part}=<folder>"
    )
