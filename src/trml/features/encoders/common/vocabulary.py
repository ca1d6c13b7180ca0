"""Tokenizers: those of transformers come back nearly empty, and say nothing, where their files are absent; and all of
them cut long texts and say nothing."""

from typing import Any

from trml.base.errors import WeightsMissing

_SMALLEST = 1000


def check_vocabulary(tokenizer: Any, name: str, expected: int = _SMALLEST) -> None:
    """Raise WeightsMissing if a tokenizer knows too few tokens for a model of a vocabulary of `expected`."""
    size = getattr(tokenizer, "vocab_size", None) or len(getattr(tokenizer, "tokenizer", ()))
    if size < min(expected, _SMALLEST):
        raise WeightsMissing(
            f"encoder {name}: its tokenizer knows {size} tokens, so its files are not there and every word would be "
            "unknown. Bring the tokenizer's files into the hub cache (run once where there is a network)"
        )


def count_cut(tokenizer: Any, texts: list[str], longest: int) -> list[int]:
    """How many tokens of each text a tokenizer of transformers cuts off, where a model reads `longest`."""
    if not texts:
        return []
    whole = tokenizer(texts, padding=False, truncation=False, verbose=False)["input_ids"]
    return [max(0, len(ids) - longest) for ids in whole]
