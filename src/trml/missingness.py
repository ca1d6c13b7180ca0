"""From a protocol to boolean masks: which utterances lack the victim.

A mask depends on the corpus, the victim, the split and the mask seed, never on the method. The masks of one seed
are nested: what is missing at a rate is missing at every higher rate, so curves over the rate are comparable
point by point. Exactly round(rate * n) utterances are missing, half to even.
"""

import numpy as np
from numpy.typing import NDArray

from trml.seeding import generator

PATTERNS = ("complete", "vision_missing", "text_missing")


def missing(corpus: str, victim: str, split: str, seed: int, rate: float, n: int) -> NDArray[np.bool_]:
    """Which of the n utterances of a split lack the victim, bool [n]."""
    order = generator(seed, "missing", corpus, victim, split).permutation(n)
    mask = np.zeros(n, dtype=bool)
    mask[order[: round(rate * n)]] = True
    return mask


def presence(real: NDArray[np.bool_], victim: str | None, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is left, bool [n, 2] (text, vision), of what is there for real when the victim is missing by `mask`.

    An utterance that would lose its only modality keeps it: one of the two is always there.
    """
    left = real.copy()
    if victim is not None:
        left[mask, ("text", "vision").index(victim)] = False
    empty = ~left.any(axis=1)
    left[empty] = real[empty]
    return left


def pattern_victim(pattern: str) -> str | None:
    """The modality that a pattern lacks: `vision_missing` -> `vision`, `complete` -> None."""
    return None if pattern == "complete" else pattern.removesuffix("_missing")
