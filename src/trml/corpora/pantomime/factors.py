"""The latent factors of pantomime, the label they make, and the best scores anyone can reach.

An utterance draws, independently and uniformly:

    shared       r   in {-2, -1, 1, 2}  the adjective of the sentence and the mouth of the face
    text_only    u_t in {-1, 0, 1}      the closing clause of the sentence
    vision_only  u_v in {-1, 0, 1}      how wide the eyes open
    tone, brow   c_t, c_v in {-1, 1}    the opening words; the order in which the brows rise and fall
    noise        e   in {-1, 0, 0, 1}   label noise, seen nowhere

    y = w_r r + w_t u_t + w_v u_v + w_s c_t c_v + w_e e

The product c_t c_v is the synergy: words and face agree or disagree, which flips the sign of its term, and
neither modality alone tells anything about it. No method can recover u_v from the text, nor u_t from the face.
"""

from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.corpora.pantomime.config import Weights

LEVELS: dict[str, tuple[int, ...]] = {
    "shared": (-2, -1, 1, 2),
    "text_only": (-1, 0, 1),
    "vision_only": (-1, 0, 1),
    "tone": (-1, 1),
    "brow": (-1, 1),
    "noise": (-1, 0, 0, 1),
}

SEEN_IN = {"text": ("shared", "text_only", "tone"), "vision": ("shared", "vision_only", "brow")}

PATTERNS: dict[str, tuple[str, ...]] = {
    "complete": ("text", "vision"),
    "vision_missing": ("text",),
    "text_missing": ("vision",),
    "nothing": (),
}

Factors = dict[str, NDArray[np.int64]]


def draw(n: int, rng: np.random.Generator) -> Factors:
    """n independent draws of all factors, each array [n]."""
    return {name: rng.choice(np.array(levels), size=n) for name, levels in LEVELS.items()}


def label(factors: Factors, weights: Weights) -> NDArray[np.float64]:
    """The labels [n], within [-3, 3]. Rounded to 1e-3, so that sums which mean 0 or 0.5 are exactly that."""
    value = (
        weights.shared * factors["shared"]
        + weights.text_only * factors["text_only"]
        + weights.vision_only * factors["vision_only"]
        + weights.synergy * factors["tone"] * factors["brow"]
        + weights.noise * factors["noise"]
    )
    return np.round(value, 3) + 0.0


def ceiling(weights: Weights) -> pl.DataFrame:
    """The best reachable population scores by pattern of presence: columns pattern, metric, value.

    Exact, by enumeration of all equally likely draws: within each set of draws that look the same, the best
    prediction is the median for MAE, the majority for each accuracy, and the mean for the correlation, whose
    best value is sqrt(Var E[y | seen] / Var y). Weighted F1 has no such pointwise optimum and is left out.
    """
    grid = np.array(list(product(*LEVELS.values())))
    factors: Factors = {name: grid[:, i] for i, name in enumerate(LEVELS)}
    y = label(factors, weights)
    rows = []
    for pattern, modalities in PATTERNS.items():
        seen = sorted({name for modality in modalities for name in SEEN_IN[modality]})
        keys = np.stack([factors[name] for name in seen], axis=1) if seen else np.zeros((len(y), 1))
        _, group = np.unique(keys, axis=0, return_inverse=True)
        rows += [{"pattern": pattern, "metric": metric, "value": value} for metric, value in _best(y, group).items()]
    return pl.DataFrame(rows)


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
