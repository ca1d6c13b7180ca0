"""What a difference between two methods amounts to: better, worse, equivalent or undecided.

Equivalent is a difference that is shown to lie within a margin, whichever its sign, by two one-sided tests; better and
worse are other differences that are significantly above or below zero. Not significant is not equivalent: it is
undecided, and the minimum detectable effect says how large a difference would have been found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trml.evaluation.metrics.common.metric import Metric
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import ALPHA, Scores, holm

Verdict = Literal["better", "worse", "equivalent", "undecided", "too little data", "failed"]

# Of the way from the constant predictor to the upper bound on complete data: the smallest difference that matters. It
# is about what seeds alone move a method by, so whoever trains a method once could not see a smaller one.
MARGIN = 0.05


@dataclass(frozen=True)
class Judged:
    """A difference, judged among others.

    Attributes:
        effect: The difference, positive where the first is better; None if a training failed.
        low: Lower end of its 95 % interval, None where there is none.
        high: Upper end.
        p: Of a difference other than zero, two-sided, after Holm's correction.
        p_equivalent: Of a difference within the margin, after Holm's correction; 1 without a margin.
        detectable: The minimum detectable effect, without correction.
        margin: Below which a difference does not matter, None if unknown.
        verdict: What it amounts to.
    """

    effect: float | None
    low: float | None
    high: float | None
    p: float
    p_equivalent: float
    detectable: float | None
    margin: float | None
    verdict: Verdict


def judge(differences: Sequence[Scores], margin: float | None) -> list[Judged]:
    """Judge differences, each test corrected for all of them.

    Args:
        differences: Positive where the first is better.
        margin: Of equivalence, None where there is none.
    """
    known = [each.estimate for each in differences if each.estimate is not None]
    p = iter(holm([each.p_value for each in known]))
    p_equivalent = iter(holm([1.0 if margin is None else each.p_within(margin) for each in known]))
    return [
        _unknown(each, margin) if each.estimate is None else _judged(each, next(p), next(p_equivalent), margin)
        for each in differences
    ]


def _unknown(difference: Scores, margin: float | None) -> Judged:
    if difference.is_failed:
        return Judged(None, None, None, 1.0, 1.0, None, margin, "failed")
    return Judged(difference.value, None, None, 1.0, 1.0, None, margin, "too little data")


def _judged(difference: Scores, p: float, p_equivalent: float, margin: float | None) -> Judged:
    estimate = difference.estimate
    assert estimate is not None
    verdict: Verdict = "undecided"
    if p_equivalent < ALPHA:
        verdict = "equivalent"
    elif p < ALPHA:
        verdict = "better" if estimate.mean > 0 else "worse"
    return Judged(difference.value, *estimate.interval, p, p_equivalent, estimate.detectable, margin, verdict)


def better_by(metric: Metric, ours: Scores, theirs: Scores) -> Scores:
    """Return how much better our score is than theirs, positive whichever way the metric points."""
    return ours - theirs if metric.higher_is_better else theirs - ours


def margin(evaluation: Evaluation, metric: Metric) -> float | None:
    """Return the smallest difference that matters in a metric; None without an upper bound.

    It is 5 % of the way from the constant predictor to the upper bound on complete data.
    """
    bound = evaluation.upper_bound
    if bound is None:
        return None
    return MARGIN * abs(evaluation.scores(metric, bound).value - evaluation.constant_scores(metric).value)
