"""Robustness over the missing rate, as MultiBench defines it (Liang et al., NeurIPS Datasets and Benchmarks 2021,
eval_scripts/robustness.py).

Relative robustness is the area under the curve of a score over the rate, by trapezoids. Effective robustness is the
area between that curve and the curve of the reference model moved to the same start: what a method keeps beyond what
its score on complete data would make one expect. MultiBench's reference is late fusion, and its sum runs over equal
steps; ours is Supervised-Double, and the area is by trapezoids, since our rates are not equally spaced.
"""

from functools import reduce

import numpy as np

from trml.evaluation.statistics import Scores


def relative(rates: list[float], scores: list[Scores]) -> Scores:
    """Relative robustness: the area under scores over rates, divided by the span of the rates."""
    steps = np.diff(rates) / (rates[-1] - rates[0])
    weights = np.concatenate([steps, [0.0]]) / 2 + np.concatenate([[0.0], steps]) / 2
    return reduce(Scores.__add__, (score * weight for score, weight in zip(scores, weights, strict=True)))


def effective(rates: list[float], scores: list[Scores], reference: list[Scores]) -> Scores:
    """Effective robustness: the area above the reference's curve, moved to start where this one does."""
    start = scores[0] - reference[0]
    return relative(rates, [score - (other + start) for score, other in zip(scores, reference, strict=True)])
