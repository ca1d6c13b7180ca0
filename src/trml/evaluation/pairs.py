"""Every pair of methods, judged, so that any of them can be compared with any other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations, product
from typing import Any

from trml.evaluation.metrics.common.metric import Metric
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import better_by, judge


def pairs(
    about: Mapping[str, Any], metric: Metric, scores: Mapping[str, Scores], margin: float | None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of PAIRS for one condition and metric; tests are corrected for all pairs in it.

    Args:
        about: The columns that all pairs share.
        metric: Of the scores.
        scores: By method.
        margin: Of equivalence, None where there is none.
    """
    yield from _judged(about, metric, scores, list(combinations(scores, 2)), margin)


def against(
    about: Mapping[str, Any],
    metric: Metric,
    scores: Mapping[str, Scores],
    references: Mapping[str, Scores],
    margin: float | None,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of every method against every reference model, corrected for all of these alone."""
    yield from _judged(about, metric, {**scores, **references}, list(product(scores, references)), margin)


def _judged(
    about: Mapping[str, Any],
    metric: Metric,
    scores: Mapping[str, Scores],
    names: Sequence[tuple[str, str]],
    margin: float | None,
) -> Iterator[dict[str, Any]]:
    differences = [better_by(metric, scores[first], scores[second]) for first, second in names]
    for (first, second), judged in zip(names, judge(differences, margin), strict=True):
        yield {**about, "first": first, "second": second, **asdict(judged)}
