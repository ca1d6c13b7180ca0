"""One number a method, on a scale that does not move with the company that it keeps.

A score is put on the scale from the constant predictor (0) to the best there can be (1): the exact ceiling of the
condition or, where none is known, the upper bound on complete data. The aggregate is its mean over the rates of a
single missing modality. Ranks are shared: a method's is one more than the number of methods that are significantly
better. Methods are compared in pairs, as the multiple comparison matrix does (2305.11921), not by mean ranks, which a
third method can turn around; the probability of improvement is that of Agarwal et al. (NeurIPS 2021).
"""

from collections.abc import Iterator
from functools import reduce
from itertools import combinations
from operator import add
from typing import Any

import numpy as np
import polars as pl

from trml.evaluation.ceiling import Ceiling
from trml.evaluation.contract import ALL, other_side
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import AGGREGATES, IMPROVEMENT
from trml.evaluation.statistics import Scores
from trml.evaluation.summary import Curves
from trml.evaluation.verdicts import MARGIN, judge

# Of one method: (victim, rate) -> its score on the scale.
_Scaled = dict[tuple[str, float], Scores]


def aggregates(evaluation: Evaluation, curves: Curves) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of aggregates.parquet and of improvement.parquet, both in the primary metric.

    They are empty where neither a ceiling nor an upper bound gives the scale.
    """
    scaled = dict(_scaled(evaluation, curves))
    means = {
        (method, victim): _mean([score for (of, _), score in each.items() if victim in (of, ALL)])
        for method, each in scaled.items()
        for victim in (*evaluation.study.single_victims, ALL)
    }
    rows, pairs = [], []
    for victim in (*evaluation.study.single_victims, ALL):
        names = list(scaled)
        judged = judge([means[a, victim] - means[b, victim] for a, b in combinations(names, 2)], MARGIN)
        beaten = dict.fromkeys(names, 0)
        for (first, second), each in zip(combinations(names, 2), judged, strict=True):
            for name, verdict in ((first, each.verdict), (second, other_side(each.verdict))):
                beaten[name] += verdict == "worse"
            pairs.append(
                {
                    "victim": victim,
                    "first": first,
                    "second": second,
                    "probability": _probability(scaled[first], scaled[second], victim),
                    "effect": each.effect,
                    "low": each.low,
                    "high": each.high,
                    "verdict": each.verdict,
                }
            )
        rows += [
            {"method": name, "victim": victim, **means[name, victim].columns(), "rank": 1 + beaten[name]}
            for name in names
        ]
    return pl.DataFrame(rows, schema=AGGREGATES), pl.DataFrame(pairs, schema=IMPROVEMENT)


def _scaled(evaluation: Evaluation, curves: Curves) -> Iterator[tuple[str, _Scaled]]:
    """Yield every method whose trainings all succeeded, with its scores on the scale."""
    study, metric, ceiling = evaluation.study, evaluation.primary, Ceiling(evaluation.inputs.corpus)
    upper = evaluation.upper_bound
    bound = np.nan if upper is None else evaluation.scores(metric, upper).value
    constant = evaluation.constant_scores(metric)
    for method in study.entries:
        scaled: _Scaled = {}
        for victim in study.single_victims:
            for rate, score in curves.get((study.training, method, victim, metric.name), {}).items():
                if rate > 0:
                    best: Any = ceiling.at(metric.name, study.pattern(victim), rate, study.modalities)
                    reach = (bound if best is None else best) - constant.value
                    if np.isfinite(reach) and reach:
                        scaled[victim, rate] = (score - constant) * (1 / reach)
        if scaled and not any(score.is_failed for score in scaled.values()):
            yield method, scaled


def _mean(scores: list[Scores]) -> Scores:
    return reduce(add, scores) * (1 / len(scores))


def _probability(first: _Scaled, second: _Scaled, victim: str) -> float:
    """Return how often a training of the first method is better than one of the second, over seeds and conditions."""
    shares = []
    for key in first:
        if victim in (key[0], ALL):
            one, other = (each[key].table.mean(axis=1) for each in (first, second))
            shares.append(float((np.sign(np.subtract.outer(one, other)) / 2 + 0.5).mean()))
    return float(np.mean(shares))
