"""Robustness over the missing rate, as MultiBench defines it.

Liang et al., NeurIPS Datasets and Benchmarks 2021, eval_scripts/robustness.py. Relative robustness is the area under
the curve of a score over the rate, by trapezoids. Effective robustness is the area between that curve and the curve of
the reference model moved to the same start: what a method keeps beyond what its score on complete data lets one expect.

MultiBench's reference is late fusion, and it sums over equal steps. The reference here is the upper bound, and areas
are by trapezoids, since the rates are not equally spaced.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
import polars as pl

from trml.evaluation.contract import MATCHED, SETTING_A, Study
from trml.evaluation.schemas import ROBUSTNESS
from trml.evaluation.statistics import Scores
from trml.evaluation.summary import Curves


def relative(rates: list[float], scores: list[Scores]) -> Scores:
    """Return relative robustness: the area under scores over rates, divided by the span of the rates."""
    steps = np.diff(rates) / (rates[-1] - rates[0])
    weights = np.concatenate([steps, [0.0]]) / 2 + np.concatenate([[0.0], steps]) / 2
    return reduce(Scores.__add__, (score * weight for score, weight in zip(scores, weights, strict=True)))


def effective(rates: list[float], scores: list[Scores], reference: list[Scores]) -> Scores:
    """Return effective robustness: the area above the reference's curve, moved to start where this one does."""
    start = scores[0] - reference[0]
    return relative(rates, [score - (other + start) for score, other in zip(scores, reference, strict=True)])


def robustness(study: Study, curves: Curves) -> pl.DataFrame:
    """Return the rows of robustness.parquet: both measures of every curve over two rates or more."""
    return pl.DataFrame(list(_rows(study, curves)), schema=ROBUSTNESS)


def _rows(study: Study, curves: Curves) -> Iterator[dict[str, Any]]:
    upper = study.upper
    for protocol, name, victim, metric in curves:
        if protocol == SETTING_A or upper is None:
            continue
        whole, of_upper = (_whole(curves, protocol, each, victim, metric) for each in (name, upper.name))
        rates = sorted(whole)
        if len(rates) < 2:
            continue
        scores, reference = ([curve[rate] for rate in rates] for curve in (whole, of_upper))
        measures = {"relative": relative(rates, scores), "effective": effective(rates, scores, reference)}
        about = {"protocol": protocol, "method": name, "victim": victim, "metric": metric}
        for measure, score in measures.items():
            yield {**about, "measure": measure, **score.columns()}


def _whole(curves: Curves, protocol: str, name: str, victim: str, metric: str) -> dict[float, Scores]:
    """Return a method's scores by rate. Training on complete data starts at the same score on complete data."""
    return {**curves[MATCHED, name, victim, metric], **curves[protocol, name, victim, metric]}
