"""Every pair of methods, judged, so that any of them can be compared with any other."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import combinations
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
    names = list(combinations(scores, 2))
    differences = [better_by(metric, scores[first], scores[second]) for first, second in names]
    for (first, second), judged in zip(names, judge(differences, margin), strict=True):
        yield {**about, "first": first, "second": second, **asdict(judged)}
