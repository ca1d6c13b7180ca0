"""Intervals and tests by a paired bootstrap over utterances and seeds.

One set of resamples serves a whole experiment, so every difference is paired: in a resample all methods are
scored on the same utterances and the same seeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trml.evaluation.metrics.common.metric import Array, Metric

LEVEL = 0.95  # of intervals
ALPHA = 0.05  # of tests


@dataclass(frozen=True)
class Resamples:
    """Draws with replacement of n utterances and of seeds, `count` of both."""

    n: int
    seeds: int
    count: int
    rng_seed: int

    @cached_property
    def utterances(self) -> Array:
        """How often each resample has each utterance, [count, n]."""
        return self._draw(0, self.n)

    @cached_property
    def of_seeds(self) -> Array:
        """How often each resample has each seed, [count, seeds]."""
        return self._draw(1, self.seeds)

    def _draw(self, stream: int, size: int) -> Array:
        rng = np.random.default_rng([self.rng_seed, stream])
        return rng.multinomial(size, np.full(size, 1 / size), size=self.count).astype(float)

    def scores(self, metric: Metric, label: Array, predictions: Array) -> "Scores":
        """Return the score of predictions [seeds, n]: the mean over seeds, in the sample and in every resample."""
        by_seed = metric.score(label, predictions, self.utterances)
        return Scores(float(metric.score(label, predictions).mean()), self._over_seeds(by_seed))

    def mean(self, values: Array) -> "Scores":
        """Return the mean of values [seeds, n], in the sample and in every resample."""
        return Scores(float(values.mean()), self._over_seeds(values @ self.utterances.T / self.n))

    def _over_seeds(self, by_seed: Array) -> Array:
        return (by_seed * self.of_seeds.T).sum(axis=0) / self.seeds


@dataclass(frozen=True)
class Scores:
    """A score in the sample and in every resample [count]."""

    value: float
    replicates: Array

    @classmethod
    def failed(cls, count: int) -> "Scores":
        """Return the score of a failed training: NaN, and significantly different from nothing."""
        return cls(float("nan"), np.full(count, np.nan))

    @property
    def is_failed(self) -> bool:
        """Whether there is no score, because a training failed."""
        return bool(np.isnan(self.value))

    def __sub__(self, other: "Scores") -> "Scores":
        return Scores(self.value - other.value, self.replicates - other.replicates)

    def __neg__(self) -> "Scores":
        return Scores(-self.value, -self.replicates)

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(self.value + other.value, self.replicates + other.replicates)

    def __mul__(self, factor: float) -> "Scores":
        return Scores(self.value * factor, self.replicates * factor)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % percentile interval, (nan, nan) if a training failed."""
        low, high = np.quantile(self.replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    def columns(self) -> dict[str, float | None]:
        """Return value, low and high as a table holds them: None if a training failed."""
        low, high = (None, None) if self.is_failed else self.interval
        return {"value": None if self.is_failed else self.value, "low": low, "high": high}

    @property
    def p_value(self) -> float:
        """The two-sided p-value of a difference from zero.

        Twice the share of resamples on the other side of zero, never below 2 / (count + 1); 1 if a training failed.
        """
        if self.is_failed:
            return 1.0
        below, above = (self.replicates <= 0).sum(), (self.replicates >= 0).sum()
        return float(min(1.0, 2 * (min(below, above) + 1) / (len(self.replicates) + 1)))


def p_within(scores: Scores, margin: float) -> float:
    """Return the p-value of two one-sided tests of whether a difference lies within +-margin (Schuirmann 1987).

    The larger of the shares of resamples at or beyond either end, never below 1 / (count + 1); 1 if a training failed.
    """
    if scores.is_failed:
        return 1.0
    beyond = max((scores.replicates >= margin).sum(), (scores.replicates <= -margin).sum())
    return float(min(1.0, (beyond + 1) / (len(scores.replicates) + 1)))


def p_beyond(scores: Scores, margin: float) -> float:
    """Return the one-sided p-value of whether a difference lies below -margin; 1 if a training failed."""
    if scores.is_failed:
        return 1.0
    return float(((scores.replicates >= -margin).sum() + 1) / (len(scores.replicates) + 1))


def holm(p_values: list[float]) -> list[float]:
    """Return p-values adjusted for each other by Holm's step-down method (Holm 1979), in the order given."""
    p: NDArray[np.float64] = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]


def leaders(metric: Metric, scores: Mapping[str, Scores]) -> list[str]:
    """Return the best method and all that are not significantly worse (Holm, 5 %).

    A method with a failed training is never among them.
    """
    scores = {name: score for name, score in scores.items() if not score.is_failed}
    if not scores:
        return []
    sign = 1 if metric.higher_is_better else -1
    best = max(scores, key=lambda name: sign * scores[name].value)
    others = [name for name in scores if name != best]
    adjusted = holm([(scores[best] - scores[name]).p_value for name in others])
    return [best, *(name for name, p in zip(others, adjusted, strict=True) if p >= ALPHA)]
