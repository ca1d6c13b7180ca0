"""Count the tokens that a tokenizer of transformers truncates."""

from typing import Any


def count_cut(tokenizer: Any, texts: list[str], longest: int) -> list[int]:
    """Return how many tokens of each text exceed `longest`, the model's limit."""
    if not texts:
        return []
    whole = tokenizer(texts, padding=False, truncation=False, verbose=False)["input_ids"]
    return [max(0, len(ids) - longest) for ids in whole]
