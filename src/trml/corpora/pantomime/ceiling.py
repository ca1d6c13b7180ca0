"""The best reachable scores of pantomime, exactly, by enumeration of everything that can be seen.

What is seen tells of the label through the posterior of `shared` and through the other factors that show. Readings are
exchangeable, so the posterior depends on the frames through the counts of the levels that they show: all count vectors
are enumerated, with the probability of each. For every posterior the best prediction is the median for MAE, the
majority for each accuracy and the mean for the correlation, whose best value is sqrt(Var E[y | seen] / Var y).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaln

from trml.corpora.contract import CEILING_SCHEMA
from trml.corpora.pantomime.config import Weights
from trml.corpora.pantomime.factors import (
    FRAME_CHANNEL,
    NOISE,
    OWN,
    REACH,
    SHARED,
    SIGNS,
    SPEAKER,
    TEXT_CHANNEL,
    Array,
    of_shared,
)
from trml.missing.modalities import written

LEVELS = len(SHARED)
_SLAB = 20_000  # posteriors at a time, so that memory stays flat
METRICS = ("mae", "corr", "acc7", "acc2_neg_nonneg", "acc2_neg_pos")


@dataclass(frozen=True)
class Seen:
    """What a predictor sees of an utterance.

    Attributes:
        text: Whether it sees the sentence.
        frames: How many frames it sees.
        order: Whether it sees when a frame was shown, and with it the brow.
    """

    text: bool
    frames: int
    order: bool = True


def posteriors(seen: Seen) -> tuple[Array, Array]:
    """Return every posterior of `shared` that can be seen [P, 16], and the probability of each [P]."""
    likelihood = _counts_likelihood(seen.frames) / LEVELS  # joint with a uniform prior
    if seen.text:
        likelihood = (likelihood[:, None] * TEXT_CHANNEL[None]).reshape(-1, LEVELS)
    mass = likelihood.sum(axis=1)
    possible = mass > 0
    return likelihood[possible] / mass[possible, None], mass[possible]


def _counts_likelihood(frames: int) -> Array:
    """Return the probability of each count vector of `frames` readings under each level, [C, 16]."""
    counts = count_vectors(frames, LEVELS, 2 * REACH + 1)
    with np.errstate(divide="ignore"):
        logs = np.log(FRAME_CHANNEL)
    ways = gammaln(frames + 1) - gammaln(counts + 1).sum(axis=1)
    impossible = counts @ (FRAME_CHANNEL == 0) > 0
    return np.asarray(np.where(impossible, 0.0, np.exp(counts @ np.where(np.isinf(logs), 0.0, logs) + ways[:, None])))


def count_vectors(total: int, levels: int, width: int) -> NDArray[np.int64]:
    """Return all vectors of `levels` counts that sum to `total` and whose positive counts span at most `width`."""
    if total == 0:
        return np.zeros((1, levels), dtype=np.int64)
    parts = []
    for start in range(levels):
        span = min(width, levels - start)
        inside = np.array(list(_compositions(total, span)), dtype=np.int64)
        inside = inside[inside[:, 0] > 0]  # `start` is the lowest level with a count, so that no vector comes twice
        parts.append(np.pad(inside, ((0, 0), (start, levels - start - span))))
    return np.concatenate(parts)


def _compositions(total: int, places: int) -> Iterator[tuple[int, ...]]:
    if places == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, places - 1):
            yield first, *rest


def best(seen: Seen, weights: Weights) -> dict[str, float]:
    """Return the best reachable score of each metric for a predictor that sees this of every utterance."""
    shown, hidden = _other_factors(seen, weights)
    # Given a level, the label is the level's share, what is shown, and one of the equally likely hidden sums.
    of_level = of_shared(weights)[:, None] + hidden  # [16, H]
    totals = dict.fromkeys(("absolute", "explained", "sevens", "nonneg", "positive"), 0.0)
    tables = _Tables.of(of_level, shown)
    every, mass = posteriors(seen)
    for start in range(0, len(mass), _SLAB):
        part, m = every[start : start + _SLAB], mass[start : start + _SLAB]
        totals["absolute"] += float(m @ (part @ tables.distance).min(axis=1))
        totals["explained"] += float(m @ (part @ tables.mean) ** 2)
        for name in ("sevens", "nonneg", "positive"):
            chances = np.einsum("pl,lsc->psc", part, getattr(tables, name), optimize=True)
            totals[name] += float(m @ chances.max(axis=2).mean(axis=1))
    explained = totals["explained"] - float((mass @ (every @ tables.mean)) ** 2) + float(np.var(shown))
    return {
        "mae": totals["absolute"],
        "corr": float(np.sqrt(explained / _variance(weights))),
        "acc7": totals["sevens"],
        "acc2_neg_nonneg": totals["nonneg"],
        "acc2_neg_pos": totals["positive"] / _share_nonzero(weights),
    }


@dataclass(frozen=True)
class _Tables:
    """What a score is for a level, linear in the posterior.

    distance: E |y - v| for each candidate prediction v, [16, V]. mean: E y, [16]. sevens, nonneg, positive: the
    probability of each class for each shown sum, [16, S, classes].
    """

    distance: Array
    mean: Array
    sevens: Array
    nonneg: Array
    positive: Array

    @classmethod
    def of(cls, of_level: Array, shown: Array) -> "_Tables":
        candidates = np.unique(of_level.round(9))
        distance = np.stack([np.abs(row[:, None] - candidates).mean(axis=0) for row in of_level])
        label = np.round(of_level[:, None, :] + shown[None, :, None], 3) + 0.0  # [16, S, H]

        def chances(classes: Sequence[NDArray[np.bool_]]) -> Array:
            return np.stack([each.mean(axis=2) for each in classes], axis=2)

        return cls(
            distance,
            of_level.mean(axis=1),
            chances([np.round(label) == k for k in range(-3, 4)]),
            chances([label >= 0, label < 0]),
            chances([label > 0, label < 0]),
        )


def _other_factors(seen: Seen, weights: Weights) -> tuple[Array, Array]:
    """Return the sums of all factors but `shared`, of those that show and of the others, equally likely each."""
    own_text, own_face = weights.text_only * OWN, weights.vision_only * OWN
    synergy = weights.synergy * SIGNS  # the sign of the product, uniform unless both are seen
    sees_face, sees_product = seen.frames > 0, seen.text and seen.frames > 0 and seen.order
    shown = [own_text if seen.text else [0.0], own_face if sees_face else [0.0], synergy if sees_product else [0.0]]
    hidden = [
        [0.0] if seen.text else own_text,
        [0.0] if sees_face else own_face,
        [0.0] if sees_product else synergy,
        weights.speaker * SPEAKER,
        weights.noise * NOISE,
    ]
    return tuple(np.array([sum(each) for each in product(*parts)]) for parts in (shown, hidden))  # type: ignore[return-value]


def _labels(weights: Weights) -> Array:
    """Return the label of every combination of levels, equally likely each."""
    shown, hidden = _other_factors(Seen(text=False, frames=0), weights)
    return np.asarray(np.round((of_shared(weights)[:, None] + hidden + shown[0]).ravel(), 3) + 0.0)


def _variance(weights: Weights) -> float:
    return float(np.var(_labels(weights)))


def _share_nonzero(weights: Weights) -> float:
    return float((_labels(weights) != 0).mean())


def ceiling(weights: Weights, frames: int, rates: Sequence[float]) -> pl.DataFrame:
    """Return the best reachable population scores (CEILING_SCHEMA).

    They are given for each set of present modalities, for clips that lose each frame at one of the rates, as
    `frames@0.5`, and for those that lose that share of frames in a row, `stretch@0.5`; a clip that loses all of them
    leaves the sentence alone. `order-blind text+vision` and the like are
    those of a predictor that sees the frames in no order.
    """
    whole = {
        ("text", "vision"): Seen(True, frames),
        ("text",): Seen(True, 0),
        ("vision",): Seen(False, frames),
        (): Seen(False, 0),
    }
    scores = {written(present): best(seen, weights) for present, seen in whole.items()}
    scores["order-blind text+vision"] = best(Seen(True, frames, order=False), weights)
    left = {k: best(Seen(True, k), weights) for k in range(frames)} | {frames: scores["text+vision"]}
    for rate in rates:
        share = {k: comb(frames, k) * (1 - rate) ** k * rate ** (frames - k) for k in left}
        scores[f"frames@{rate:g}"] = {metric: _mixed(metric, share, left) for metric in METRICS}
        scores[f"stretch@{rate:g}"] = left[frames - round(rate * frames)]
    rows = [(present, metric, value) for present, of in scores.items() for metric, value in of.items()]
    return pl.DataFrame(rows, CEILING_SCHEMA, orient="row")


def redundancy(ceilings: pl.DataFrame) -> float:
    """Return the share of what the clip explains of the label's variance that the sentence explains too, 0 to 1.

    A correlation's best value squared is the share of the variance that is explained. What each explains alone, less
    what both explain, is what both tell; a synergy, which neither tells alone, counts against it.
    """
    of = {
        present: best**2
        for present, metric, best in ceilings.iter_rows()
        if metric == "corr" and present in ("text", "vision", "text+vision")
    }
    both = of["text"] + of["vision"] - of["text+vision"]
    return max(0.0, both / of["vision"]) if of["vision"] else 0.0


def _mixed(metric: str, share: dict[int, float], left: dict[int, dict[str, float]]) -> float:
    """Return the score of a mixture of utterances: linear, but a correlation mixes as its square."""
    power = 2 if metric == "corr" else 1
    return float(sum(share[k] * left[k][metric] ** power for k in share) ** (1 / power))
