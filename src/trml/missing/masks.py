"""From a protocol to boolean masks: which utterances lack the victim.

A victim is `vision`, `text`, `either` (an utterance loses one modality, which one by a fair coin, never both: so at
rate r each modality is missing at r / 2) or `frames` (each frame of the clip is lost on its own).

A mask depends on the corpus, the victim, the split and the mask seed, never on the method. The masks of one seed
are nested: what is missing at a rate is missing at every higher rate, so curves over the rate are comparable
point by point. Exactly round(rate * n) utterances lose something, half to even; of frames about rate * n * T are lost.
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


def frames_condition(rate: float) -> str:
    """The name of the evaluation condition under which frames are lost at a rate."""
    return f"frames@{rate:g}"


def lost_of_either(corpus: str, split: str, seed: int, rate: float, n: int) -> NDArray[np.bool_]:
    """Which of text and vision each utterance loses, bool [n, 2], never both."""
    lost = missing(corpus, "either", split, seed, rate, n)
    coin = generator(seed, "which is missing", corpus, split).random(n) < 0.5
    return np.stack([lost & coin, lost & ~coin], axis=1)


def frames_missing(corpus: str, split: str, seed: int, rate: float, n: int, frames: int) -> NDArray[np.bool_]:
    """Which frames are lost, bool [n, frames]."""
    return generator(seed, "missing frames", corpus, split).random((n, frames)) < rate


def frame_presence(
    real: NDArray[np.bool_], frame_mask: NDArray[np.bool_], lost: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """What is left of text and of each frame, bool [n, 1 + T], when frames [n, T] are lost. An utterance without text
    that would lose its last frame keeps all it has."""
    left = frame_mask & ~lost
    empty = ~real[:, 0] & ~left.any(axis=1)
    left[empty] = frame_mask[empty]
    return np.concatenate([real[:, :1], left], axis=1)


def pattern_victim(pattern: str) -> str | None:
    """The modality that a pattern lacks: `vision_missing` -> `vision`, `complete` -> None."""
    return None if pattern == "complete" else pattern.removesuffix("_missing")
