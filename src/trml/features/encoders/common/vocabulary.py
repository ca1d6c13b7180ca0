"""Check tokenizers. Without its files transformers silently builds a tokenizer with a nearly empty vocabulary."""

from typing import Any

from trml.base.errors import WeightsMissing

_SMALLEST = 1000


def check_vocabulary(tokenizer: Any, name: str, expected: int = _SMALLEST) -> None:
    """Raise WeightsMissing if a tokenizer has too few tokens.

    Args:
        tokenizer: A tokenizer of transformers or of open_clip.
        name: Of the encoder.
        expected: The size of the model's vocabulary.
    """
    size = getattr(tokenizer, "vocab_size", None) or len(getattr(tokenizer, "tokenizer", ()))
    if size < min(expected, _SMALLEST):
        raise WeightsMissing(
            f"encoder {name}: its tokenizer knows {size} tokens, so its files are absent and every word would be "
            "unknown. Put the tokenizer's files into the hub cache (run once with a network)"
        )
