"""The metrics of a sentiment score in [-3, 3].

Seven classes are rounded half to even, as numpy rounds. Binary accuracy and F1 follow two conventions of the field:
`neg_nonneg` compares y >= 0 with y < 0 on all utterances, `neg_pos` compares y > 0 with y < 0 where y != 0.
"""

import numpy as np

from trml.evaluation.metrics.common.metric import Array, Metric
from trml.evaluation.metrics.common.sums import confusion, ratio, weighted_f1, with_count


def metrics(task: str, classes: int) -> list[Metric]:
    """Return the metrics of a regression."""
    if task != "regression":
        return []
    return [
        Metric("mae", "MAE", False, _distance, ratio, headline=True, drawn=True, primary=True),
        Metric("corr", "Corr", True, _moments, _correlation, headline=True),
        Metric("acc7", "Acc-7", True, _sevens, ratio),
        Metric("acc2_neg_nonneg", "Acc-2 (neg/non-neg)", True, _nonneg, ratio, headline=True, drawn=True),
        Metric("acc2_neg_pos", "Acc-2 (neg/pos)", True, _positive, ratio),
        Metric("f1_neg_nonneg", "F1 (neg/non-neg)", True, _nonneg_confusion, weighted_f1),
        Metric("f1_neg_pos", "F1 (neg/pos)", True, _positive_confusion, weighted_f1),
    ]


def _distance(label: Array, prediction: Array) -> Array:
    return with_count(np.abs(prediction - label))


def _moments(label: Array, prediction: Array) -> Array:
    # Centred first: correlation does not change, and the sums lose no digits.
    y = np.broadcast_to(label - label.mean(), prediction.shape)
    p = prediction - prediction.mean(axis=-1, keepdims=True)
    return np.stack([y, p, y * y, p * p, y * p, np.ones_like(p)], axis=-1)


def _correlation(sums: Array) -> Array:
    y, p, yy, pp, yp, n = np.moveaxis(sums, -1, 0)
    variance_y, variance_p = yy - y * y / n, pp - p * p / n
    known = (variance_y > 1e-12 * n) & (variance_p > 1e-12 * n)
    scale = np.sqrt(np.where(known, variance_y * variance_p, 1.0))
    return np.where(known, (yp - y * p / n) / scale, 0.0)  # of a constant prediction: 0


def _sevens(label: Array, prediction: Array) -> Array:
    return with_count((np.round(np.clip(prediction, -3, 3)) == np.round(np.clip(label, -3, 3))).astype(float))


def _nonneg(label: Array, prediction: Array) -> Array:
    return with_count(((prediction >= 0) == (label >= 0)).astype(float))


def _positive(label: Array, prediction: Array) -> Array:
    return with_count(((prediction > 0) == (label > 0)).astype(float), (label != 0).astype(float))


def _nonneg_confusion(label: Array, prediction: Array) -> Array:
    return confusion((label >= 0).astype(int), (prediction >= 0).astype(int), 2)


def _positive_confusion(label: Array, prediction: Array) -> Array:
    return confusion((label > 0).astype(int), (prediction > 0).astype(int), 2, (label != 0).astype(float))
