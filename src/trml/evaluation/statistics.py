"""Intervals and tests for scores of several seeds on the same utterances, which come in groups.

Utterances of one video or speaker resemble each other, and so do the errors of one training on all utterances. A score
is therefore analysed as a table of seeds by groups whose rows and columns are both random, as studies of several
readers and cases are (Dorfman, Berbaum and Metz 1992; Hillis 2014): readers are seeds, cases are groups. Every
difference is paired on both. Scores that are no mean enter through their jackknife pseudovalues.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtrinc, stdtr, stdtrit

from trml.evaluation.contract import FEWEST_GROUPS, FEWEST_SEEDS
from trml.evaluation.metrics.common.metric import Array, Mask, Metric

LEVEL = 0.95  # of intervals
ALPHA = 0.05  # of tests
POWER = 0.8  # of the minimum detectable effect

_MANY = 1e9  # degrees of freedom, where nothing varies


@dataclass(frozen=True)
class Groups:
    """The groups of N utterances, numbered 0 to G - 1: videos, speakers or dialogues, or each utterance its own."""

    of: NDArray[np.int64]

    @classmethod
    def named(cls, names: NDArray[np.str_]) -> "Groups":
        """Return the groups of utterances with these names of groups [N]."""
        return cls(np.unique(names, return_inverse=True)[1].astype(np.int64))

    @cached_property
    def count(self) -> int:
        """G."""
        return int(self.of.max()) + 1

    def scores(self, metric: Metric, label: Array, predictions: Array, counted: Mask | None = None) -> "Scores":
        """Return the score of predictions [seeds, N].

        Args:
            metric: Of which.
            label: [N].
            predictions: [seeds, N].
            counted: bool [seeds, N], the utterances that are scored in each seed; None for all.
        """
        whole = metric.score(label, predictions, counted)
        without = metric.without_each(label, predictions, self.of, counted)
        scored = self.count if counted is None else min(len(np.unique(self.of[row])) for row in counted)
        return Scores(float(whole.mean()), pseudovalues(whole, without), scored)

    def mean(self, values: Array) -> "Scores":
        """Return the mean of values [seeds, N]."""
        return self.scores(_MEAN, np.zeros(values.shape[-1]), values)


_MEAN = Metric(
    "mean", "Mean", True, lambda _, x: np.stack([x, np.ones_like(x)], axis=-1), lambda sums: sums[..., 0] / sums[..., 1]
)


def pseudovalues(whole: Array, without: Array) -> Array:
    """Return the centred jackknife pseudovalues [S, G] of scores.

    Args:
        whole: The score of each seed [S].
        without: The same with one group left out [S, G].

    Returns:
        G whole - (G - 1) without, moved so that the mean of each row is its score (Hillis, Berbaum and Metz 2008).
    """
    groups = without.shape[1]
    raw = groups * whole[:, None] - (groups - 1) * without
    return raw + (whole - raw.mean(axis=1))[:, None]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and groups with its standard error and degrees of freedom.

    groups: How many groups it is a mean over. least: The fewest degrees of freedom that so many seeds leave.
    """

    mean: float
    error: float
    freedom: float
    groups: int
    least: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval, by Student's t."""
        reach = self.error * float(stdtrit(self.freedom, (1 + LEVEL) / 2))
        return self.mean - reach, self.mean + reach

    def p_above(self, value: float) -> float:
        """Return the one-sided p-value of whether the true mean lies above a value."""
        if self.error == 0:
            return 0.0 if self.mean > value else 1.0
        return float(stdtr(self.freedom, (value - self.mean) / self.error))

    def p_below(self, value: float) -> float:
        """Return the one-sided p-value of whether the true mean lies below a value."""
        return replace(self, mean=-self.mean).p_above(-value)

    @property
    def p_value(self) -> float:
        """The two-sided p-value of a mean other than zero."""
        return min(1.0, 2 * min(self.p_above(0.0), self.p_below(0.0)))

    def p_within(self, margin: float) -> float:
        """Return the p-value of a mean within +-margin, by two one-sided tests (Schuirmann 1987).

        Without any variation, as between two classifiers that give the same classes, it is the probability to see no
        difference in any group although a share `margin` of them has one.
        """
        if self.error == 0 and abs(self.mean) < margin:
            return float((1 - min(1.0, margin)) ** self.groups)
        return max(self.p_above(-margin), self.p_below(margin))

    @property
    def detectable(self) -> float:
        """The minimum detectable effect: the smallest true mean that a two-sided test at 5 % finds in 80 % of cases."""
        return self.error * errors_to_detect(self.freedom, self.least) if self.error else 0.0


def errors_to_detect(freedom: float, least: float) -> float:
    """Return the smallest true mean that a two-sided test at 5 % finds in 80 % of cases, in standard errors.

    By the noncentral t distribution. The degrees of freedom are an estimate, and fewer of them need a larger effect, so
    they are taken two thirds of the way towards the fewest there can be (benchmarks/statistics.py has the power).
    """
    planned = min((freedom + 2 * least) / 3, 1000.0)
    return float(nctdtrinc(planned, 1 - POWER, stdtrit(planned, 1 - ALPHA / 2)))


def crossed(table: Array) -> Estimate:
    """Return the mean of a table [S, G] whose rows (seeds) and columns (groups) are both random samples.

    With the mean squares of seeds, groups and the rest, MS_s, MS_g and MS_e, the variance of the mean is
    (MS_s + max(MS_g - MS_e, 0)) / (S G). Its degrees of freedom are Hillis' (2007),
    (MS_s + max(MS_g - MS_e, 0))^2 / (MS_s^2 / (S - 1)), with two changes, since few seeds or groups were seen to reject
    too often without them (benchmarks/statistics.py): a second term in the denominator,
    max(MS_g - MS_e, 0)^2 / (G - 1), and at most (S - 1)^2.

    Returns:
        The estimate; its error is NaN with fewer than two seeds or two groups.
    """
    seeds, groups = table.shape
    mean = float(table.mean())
    if seeds < 2 or groups < 2:
        return Estimate(mean, float("nan"), float("nan"), groups, float("nan"))
    by_seed, by_group = table.mean(axis=1), table.mean(axis=0)
    of_seeds = groups * float(((by_seed - mean) ** 2).sum()) / (seeds - 1)
    of_groups = seeds * float(((by_group - mean) ** 2).sum()) / (groups - 1)
    rest = table - by_seed[:, None] - by_group[None] + mean
    of_rest = float((rest**2).sum()) / ((seeds - 1) * (groups - 1))
    beyond = max(of_groups - of_rest, 0.0)
    total = of_seeds + beyond
    if total <= 1e-20 * float((table**2).mean()) or total == 0:  # rounding alone
        return Estimate(mean, 0.0, _MANY, groups, _MANY)
    return from_squares(mean, of_seeds, beyond, seeds, groups)


def from_squares(mean: float, of_seeds: float, beyond: float, seeds: int, groups: int) -> Estimate:
    """Return the estimate that follows from MS_s and max(MS_g - MS_e, 0), which are not both zero (see `crossed`)."""
    total = of_seeds + beyond
    freedom = total**2 / (of_seeds**2 / (seeds - 1) + beyond**2 / (groups - 1))
    error, most = (total / (seeds * groups)) ** 0.5, float((seeds - 1) ** 2)
    return Estimate(mean, error, min(freedom, most), groups, least=seeds - 1.0)


@dataclass(frozen=True)
class Scores:
    """A score over seeds.

    Attributes:
        value: Its mean over seeds, NaN if a training failed.
        table: Its pseudovalues by seed and group [S, G]; the mean of a row is the score of that seed.
        groups: Of how many groups there is something to score in every seed.
    """

    value: float
    table: Array
    groups: int

    @classmethod
    def failed(cls) -> "Scores":
        """Return the score of a failed training: NaN, and significantly different from nothing."""
        return cls(float("nan"), np.full((1, 1), np.nan), 0)

    @property
    def is_failed(self) -> bool:
        """Whether there is no score, because a training failed."""
        return bool(np.isnan(self.value))

    @property
    def is_scarce(self) -> bool:
        """Whether seeds or groups are too few for a test."""
        few = len(self.table) < FEWEST_SEEDS or self.groups < FEWEST_GROUPS
        return few or not bool(np.isfinite(self.table).all())

    @cached_property
    def estimate(self) -> Estimate | None:
        """Mean, error and degrees of freedom; None if a training failed or data are too few."""
        return None if self.is_failed or self.is_scarce else crossed(self.table)

    def __sub__(self, other: "Scores") -> "Scores":
        return self + -other

    def __neg__(self) -> "Scores":
        return self * -1.0

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(self.value + other.value, self.table + other.table, min(self.groups, other.groups))

    def __mul__(self, factor: float) -> "Scores":
        return Scores(self.value * factor, self.table * factor, self.groups)

    def __truediv__(self, other: "Scores") -> "Scores":
        """Return the ratio of two scores, its pseudovalues linear in theirs (the delta method)."""
        ratio = self.value / other.value
        table = ratio + (self.table - ratio * other.table) / other.value
        return Scores(ratio, table, min(self.groups, other.groups))

    def columns(self) -> dict[str, float | None]:
        """Return value, low and high as a table holds them: None if unknown."""
        low, high = (None, None) if self.estimate is None else self.estimate.interval
        return {"value": None if self.is_failed else self.value, "low": low, "high": high}

    @property
    def p_value(self) -> float:
        """The two-sided p-value of a difference from zero; 1 if it cannot be told."""
        return 1.0 if self.estimate is None else self.estimate.p_value


def holm(p_values: list[float]) -> list[float]:
    """Return p-values adjusted for each other by Holm's step-down method (Holm 1979), in the order given."""
    p: NDArray[np.float64] = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]


def leaders(metric: Metric, scores: Mapping[str, Scores]) -> list[str]:
    """Return the best method and all that are not significantly worse (Holm, 5 %).

    A method with a failed training is never among them. Where few seeds or groups leave nothing to test, none leads.
    """
    scores = {name: score for name, score in scores.items() if not score.is_failed}
    if not scores:
        return []
    sign = 1 if metric.higher_is_better else -1
    best = max(scores, key=lambda name: sign * scores[name].value)
    others = [name for name in scores if name != best]
    differences = [scores[best] - scores[name] for name in others]
    if any(each.estimate is None for each in differences):
        return []
    adjusted = holm([each.p_value for each in differences])
    return [best, *(name for name, p in zip(others, adjusted, strict=True) if p >= ALPHA)]
