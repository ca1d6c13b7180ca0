"""The latent factors of pantomime, the label that follows from them, and the best reachable scores.

An utterance draws, independently and uniformly:

    shared       r   in {-2, -1, 1, 2}  the adjective of the sentence and the mouth of the face
    text_only    u_t in {-1, 0, 1}      the closing clause of the sentence
    vision_only  u_v in {-1, 0, 1}      how wide the eyes open
    tone, brow   c_t, c_v in {-1, 1}    the opening words; the order in which the brows rise and fall
    noise        e   in {-1, 0, 0, 1}   label noise, which shows nowhere

    y = w_r r + w_t u_t + w_v u_v + w_s c_t c_v + w_e e

The product c_t c_v is the synergy: words and face agree or disagree, which flips the sign of its term. Neither
modality alone is informative about it. No method can recover u_v from the text, or u_t from the face.
"""

from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.corpora.contract import CEILING_SCHEMA
from trml.corpora.pantomime.config import Weights
from trml.missing.modalities import written

LEVELS: dict[str, tuple[int, ...]] = {
    "shared": (-2, -1, 1, 2),
    "text_only": (-1, 0, 1),
    "vision_only": (-1, 0, 1),
    "tone": (-1, 1),
    "brow": (-1, 1),
    "noise": (-1, 0, 0, 1),
}

SHOWN_IN = {"text": ("shared", "text_only", "tone"), "vision": ("shared", "vision_only", "brow")}

PRESENT: tuple[tuple[str, ...], ...] = (("text", "vision"), ("text",), ("vision",), ())

Factors = dict[str, NDArray[np.int64]]


def draw(n: int, rng: np.random.Generator) -> Factors:
    """Return n independent draws of every factor: name -> levels i64 [n]."""
    return {name: rng.choice(np.array(levels), size=n) for name, levels in LEVELS.items()}


def label(factors: Factors, weights: Weights) -> NDArray[np.float64]:
    """Return the labels f64 [n], within [-3, 3], rounded to 1e-3 so that sums of 0 or 0.5 are exact."""
    value = (
        weights.shared * factors["shared"]
        + weights.text_only * factors["text_only"]
        + weights.vision_only * factors["vision_only"]
        + weights.synergy * factors["tone"] * factors["brow"]
        + weights.noise * factors["noise"]
    )
    return np.round(value, 3) + 0.0


def redundancy(weights: Weights) -> float:
    """Return the share of what the face explains of the label's variance that the sentence explains too, 0 to 1."""
    shared = weights.shared**2 * float(np.var(LEVELS["shared"]))
    alone = weights.vision_only**2 * float(np.var(LEVELS["vision_only"]))
    return shared / (shared + alone) if shared + alone else 0.0


def ceiling(weights: Weights) -> pl.DataFrame:
    """Return the best reachable population scores for each set of present modalities (CEILING_SCHEMA).

    They are exact, by enumeration of all equally likely draws. Within each set of draws that look the same, the best
    prediction is the median for MAE, the majority for each accuracy, and the mean for the correlation, whose best value
    is sqrt(Var E[y | seen] / Var y). Weighted F1 has no such pointwise optimum and is left out.
    """
    grid = np.array(list(product(*LEVELS.values())))
    factors: Factors = {name: grid[:, i] for i, name in enumerate(LEVELS)}
    y = label(factors, weights)
    rows = []
    for present in PRESENT:
        seen = sorted({name for modality in present for name in SHOWN_IN[modality]})
        keys = np.stack([factors[name] for name in seen], axis=1) if seen else np.zeros((len(y), 1))
        _, group = np.unique(keys, axis=0, return_inverse=True)
        rows += [(written(present), metric, value) for metric, value in _best(y, group).items()]
    return pl.DataFrame(rows, CEILING_SCHEMA, orient="row")


def _best(y: NDArray[np.float64], group: NDArray[np.int64]) -> dict[str, float]:
    absolute = explained = sevens = nonneg = positive = 0.0
    for g in range(int(group.max()) + 1):
        part = y[group == g]
        absolute += float(np.abs(part - np.median(part)).sum())
        explained += len(part) * (part.mean() - y.mean()) ** 2
        sevens += np.unique(np.round(part), return_counts=True)[1].max()
        nonneg += max((part >= 0).sum(), (part < 0).sum())
        positive += max((part > 0).sum(), (part < 0).sum())
    return {
        "mae": absolute / len(y),
        "corr": float(np.sqrt(explained / len(y) / y.var())),
        "acc7": sevens / len(y),
        "acc2_neg_nonneg": nonneg / len(y),
        "acc2_neg_pos": positive / (y != 0).sum(),
    }
