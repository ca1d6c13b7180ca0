"""Columns over utterances, and scores of their sums."""

import numpy as np

from trml.evaluation.metrics.common.metric import Array


def with_count(values: Array, counted: Array | None = None) -> Array:
    """Return the columns value and count [..., N, 2]; utterances that are not `counted` [N] have 0 in both."""
    counted = np.ones_like(values) if counted is None else np.broadcast_to(counted, values.shape)
    return np.stack([values * counted, counted], axis=-1)


def ratio(sums: Array) -> Array:
    """Return the first sum over the second, 0 where the second is 0."""
    return np.divide(sums[..., 0], sums[..., 1], out=np.zeros(sums.shape[:-1]), where=sums[..., 1] > 0)


def confusion(label: Array, prediction: Array, classes: int, counted: Array | float = 1.0) -> Array:
    """Return the columns true positive, predicted, actual of each class, [..., N, 3 * classes].

    Args:
        label: Class numbers [N].
        prediction: Class numbers [..., N].
        classes: How many there are.
        counted: 1 for utterances that count, 0 for others.
    """
    parts = []
    for k in range(classes):
        actual, predicted = (label == k) * counted, (prediction == k) * counted
        actual = np.broadcast_to(actual, predicted.shape)
        parts += [predicted * (label == k), predicted, actual]
    return np.stack(parts, axis=-1).astype(float)


def weighted_f1(sums: Array) -> Array:
    """Return the mean F1 over classes from the sums of `confusion`, each weighted by how often it is actual."""
    return _f1(sums, weighted=True)


def macro_f1(sums: Array) -> Array:
    """Return the unweighted mean F1 over classes from the sums of `confusion`."""
    return _f1(sums, weighted=False)


def _f1(sums: Array, weighted: bool) -> Array:
    hit, predicted, actual = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 3), -1, 0)
    f1 = np.divide(2 * hit, predicted + actual, out=np.zeros_like(hit), where=predicted + actual > 0)
    weight = actual if weighted else np.ones_like(actual)
    return (f1 * weight).sum(axis=-1) / weight.sum(axis=-1)
