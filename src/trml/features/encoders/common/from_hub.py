"""Load models of transformers from a local folder or by their name on the hub."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trml.base.errors import WeightsMissing
from trml.features.encoders.common.transformers import AutoImageProcessor, AutoModel, AutoTokenizer

# The part of an encoder that a source holds, and the key of the configuration that names the source.
TEXT, VISION, MODEL = "text", "vision", "model"

_TOKENIZER, _PROCESSOR = "the tokenizer's files", "preprocessor_config.json"
_FILES = {TEXT: _TOKENIZER, VISION: _PROCESSOR, MODEL: f"{_TOKENIZER}, {_PROCESSOR}"}


def load_tokenizer(source: str) -> Any:
    """Load the tokenizer of a model."""
    return AutoTokenizer.from_pretrained(source)


def load_processor(source: str) -> Any:
    """Load the picture processor of a model; the one that works on Pillow's pictures."""
    return AutoImageProcessor.from_pretrained(source, backend="pil")


def load_pretrained(name: str, part: str, source: str, *preparers: Callable[[str], Any]) -> tuple[Any, ...]:
    """Load a model in evaluation mode, and the tokenizer or processor of its inputs.

    Args:
        name: Of the encoder, for messages.
        part: TEXT, VISION or MODEL.
        source: A local folder, or a name on the hub.
        preparers: Load the rest from the same source.

    Raises:
        WeightsMissing: If the source has no such model, or lacks some of its weights.
    """
    try:
        model, loading = AutoModel.from_pretrained(source, output_loading_info=True, dtype=torch.float32)
        prepared = [load(source) for load in preparers]
    except Exception as error:  # transformers, the hub client and torch each raise their own kinds
        raise WeightsMissing(_unavailable(name, part, source, error)) from None
    # transformers draws absent weights at random and only logs it. The poolers of single models are not used here.
    lacking = sorted(key for key in loading["missing_keys"] if part == MODEL or "pooler" not in key)
    if lacking:
        raise WeightsMissing(
            f"encoder {name}: {source} lacks {len(lacking)} weights of its {_kind(part)}, {lacking[0]} among them; "
            f"expected all. Provide a complete checkpoint or set encoder.{part}=<folder>"
        )
    return (model.eval(), *prepared)


def _kind(part: str) -> str:
    return "model" if part == MODEL else f"{part} model"


def _unavailable(name: str, part: str, source: str, error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
    files = f"config.json, model.safetensors and {_FILES[part]}"
    if Path(source).is_dir():
        return (
            f"encoder {name}: the folder {source} does not hold a {_kind(part)} ({reason}); expected {files}, "
            "as written by save_pretrained of transformers"
        )
    return (
        f"encoder {name}: the {_kind(part)} {source} is unavailable: it is no local folder, not in the cache "
        f"{HF_HUB_CACHE}, and the download failed ({reason}). Run once with a network, or provide a folder "
        f"with {files} and set encoder.{part}=<folder>"
    )
