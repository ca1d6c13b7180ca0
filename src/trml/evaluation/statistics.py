"""Intervals and tests by a paired bootstrap over utterances and seeds.

One set of resamples serves a whole experiment, so every difference is paired: in a resample all methods are
scored on the same utterances and the same seeds.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trml.evaluation.metrics import Array, Metric

LEVEL = 0.95

ALPHA = 0.05


@dataclass(frozen=True)
class Resamples:
    """`count` resamples, with replacement, of n utterances and of `seeds` seeds."""

    n: int
    seeds: int
    count: int
    rng_seed: int

    @cached_property
    def utterances(self) -> Array:
        """How often each utterance is in each resample, [count, n]."""
        return self._draw(0, self.n)

    @cached_property
    def of_seeds(self) -> Array:
        """How often each seed is in each resample, [count, seeds]."""
        return self._draw(1, self.seeds)

    def _draw(self, stream: int, size: int) -> Array:
        rng = np.random.default_rng([self.rng_seed, stream])
        return rng.multinomial(size, np.full(size, 1 / size), size=self.count).astype(float)

    def scores(self, metric: Metric, label: Array, predictions: Array) -> "Scores":
        """The score of predictions [seeds, n], the mean over seeds, in the sample and in every resample."""
        by_seed = metric.score(label, predictions, self.utterances)
        return Scores(float(metric.score(label, predictions).mean()), self._over_seeds(by_seed))

    def mean(self, values: Array) -> "Scores":
        """The mean of values [seeds, n] in the sample and in every resample."""
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
        """The score of what has none, because a training failed: no number, and no difference from anything."""
        return cls(float("nan"), np.full(count, np.nan))

    @property
    def is_failed(self) -> bool:
        """Whether there is no score."""
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
        """The 95 % percentile interval, (nan, nan) where a training failed."""
        low, high = np.quantile(self.replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(low), float(high)

    @property
    def p_value(self) -> float:
        """Two-sided: twice the share of resamples on the other side of zero, never below 2 / (count + 1); 1 where a
        training failed."""
        if self.is_failed:
            return 1.0
        below, above = (self.replicates <= 0).sum(), (self.replicates >= 0).sum()
        return float(min(1.0, 2 * (min(below, above) + 1) / (len(self.replicates) + 1)))


def p_within(scores: Scores, margin: float) -> float:
    """Two one-sided tests (Schuirmann 1987) of whether a difference lies within +-margin: the larger of the shares of
    resamples at or beyond either end, never below 1 / (count + 1); 1 where a training failed."""
    if scores.is_failed:
        return 1.0
    beyond = max((scores.replicates >= margin).sum(), (scores.replicates <= -margin).sum())
    return float(min(1.0, (beyond + 1) / (len(scores.replicates) + 1)))


def p_beyond(scores: Scores, margin: float) -> float:
    """One-sided test of whether a difference lies below -margin; 1 where a training failed."""
    if scores.is_failed:
        return 1.0
    return float(((scores.replicates >= -margin).sum() + 1) / (len(scores.replicates) + 1))


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment (Holm 1979), in the order given."""
    p: NDArray[np.float64] = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]
