"""The metrics, each as sums over utterances, so that a bootstrap of all of them is one matrix product.

A metric turns labels and predictions into columns [..., N, K]; the score is a function of their (weighted) sums
[..., K]. Rounding to seven classes is half to even, as numpy rounds. Two conventions of binary accuracy and F1
stand side by side under their names: `neg_nonneg` puts y >= 0 against y < 0 on all utterances, `neg_pos` puts
y > 0 against y < 0 on utterances with y != 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """columns: (label [N], prediction [..., N]) -> [..., N, K]. combine: sums [..., K] -> score [...]."""

    name: str
    label: str
    higher_is_better: bool
    columns: Callable[[Array, Array], Array]
    combine: Callable[[Array], Array]

    def score(self, label: Array, prediction: Array, weight: Array | None = None) -> Array:
        """The score of predictions [..., N]; with weights [R, N] the scores [..., R]."""
        columns = self.columns(label, prediction)
        if weight is None:
            return self.combine(columns.sum(axis=-2))
        return self.combine(np.einsum("rn,...nk->...rk", weight, columns, optimize=True))


def _ratio(sums: Array) -> Array:
    return np.divide(sums[..., 0], sums[..., 1], out=np.zeros(sums.shape[:-1]), where=sums[..., 1] > 0)


def _with_count(values: Array, counted: Array | None = None) -> Array:
    counted = np.ones_like(values) if counted is None else np.broadcast_to(counted, values.shape)
    return np.stack([values * counted, counted], axis=-1)


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
    return _with_count((np.round(np.clip(prediction, -3, 3)) == np.round(np.clip(label, -3, 3))).astype(float))


def _nonneg(label: Array, prediction: Array) -> Array:
    return _with_count(((prediction >= 0) == (label >= 0)).astype(float))


def _positive(label: Array, prediction: Array) -> Array:
    return _with_count(((prediction > 0) == (label > 0)).astype(float), (label != 0).astype(float))


def _confusion(label: Array, prediction: Array, classes: int, counted: Array | float = 1.0) -> Array:
    """Columns true positive, predicted, actual of each class."""
    parts = []
    for k in range(classes):
        actual, predicted = (label == k) * counted, (prediction == k) * counted
        actual = np.broadcast_to(actual, predicted.shape)
        parts += [predicted * (label == k), predicted, actual]
    return np.stack(parts, axis=-1).astype(float)


def _f1(sums: Array, weighted: bool) -> Array:
    hit, predicted, actual = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 3), -1, 0)
    f1 = np.divide(2 * hit, predicted + actual, out=np.zeros_like(hit), where=predicted + actual > 0)
    weight = actual if weighted else np.ones_like(actual)
    return (f1 * weight).sum(axis=-1) / weight.sum(axis=-1)


def _weighted_f1(sums: Array) -> Array:
    return _f1(sums, weighted=True)


def _macro_f1(sums: Array) -> Array:
    return _f1(sums, weighted=False)


def _nonneg_confusion(label: Array, prediction: Array) -> Array:
    return _confusion((label >= 0).astype(int), (prediction >= 0).astype(int), 2)


def _positive_confusion(label: Array, prediction: Array) -> Array:
    return _confusion((label > 0).astype(int), (prediction > 0).astype(int), 2, (label != 0).astype(float))


REGRESSION = (
    Metric("mae", "MAE", False, lambda y, p: _with_count(np.abs(p - y)), _ratio),
    Metric("corr", "Corr", True, _moments, _correlation),
    Metric("acc7", "Acc-7", True, _sevens, _ratio),
    Metric("acc2_neg_nonneg", "Acc-2 (neg/non-neg)", True, _nonneg, _ratio),
    Metric("acc2_neg_pos", "Acc-2 (neg/pos)", True, _positive, _ratio),
    Metric("f1_neg_nonneg", "F1 (neg/non-neg)", True, _nonneg_confusion, _weighted_f1),
    Metric("f1_neg_pos", "F1 (neg/pos)", True, _positive_confusion, _weighted_f1),
)


def classification(classes: int) -> tuple[Metric, ...]:
    """Accuracy, weighted and macro F1 over class numbers 0 ... classes - 1."""

    def confusion(label: Array, prediction: Array) -> Array:
        return _confusion(label, prediction, classes)

    return (
        Metric("accuracy", "Accuracy", True, lambda y, p: _with_count((p == y).astype(float)), _ratio),
        Metric("f1_weighted", "F1 (weighted)", True, confusion, _weighted_f1),
        Metric("f1_macro", "F1 (macro)", True, confusion, _macro_f1),
    )


def metrics_of(task: str, classes: int) -> tuple[Metric, ...]:
    """The metrics of a task; the first is the one that claims are judged by."""
    return REGRESSION if task == "regression" else classification(classes)
