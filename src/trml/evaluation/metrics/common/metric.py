"""A metric as sums over utterances, so that a bootstrap of it is one matrix product."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A score of predictions.

    Labels and predictions become K columns, and the score is a function of their weighted sums. A weight says how
    often a resample drew an utterance.

    Attributes:
        name: In the column `metric`.
        label: In headers and on axes.
        higher_is_better: Which way it points.
        columns: (label [N], prediction [..., N]) -> columns [..., N, K].
        combine: Sums [..., K] -> scores [...].
        headline: Whether the main tables show it.
        drawn: Whether figures over the missing rate show it.
        primary: Whether claims are judged by it; one metric of a task is.
    """

    name: str
    label: str
    higher_is_better: bool
    columns: Callable[[Array, Array], Array]
    combine: Callable[[Array], Array]
    headline: bool = False
    drawn: bool = False
    primary: bool = False

    def score(self, label: Array, prediction: Array, weight: Array | None = None) -> Array:
        """Return the score of predictions.

        Args:
            label: [N].
            prediction: [..., N].
            weight: [R, N], how often each of R resamples has each utterance; None for the sample itself.

        Returns:
            Scores [...], or [..., R] with weights.
        """
        columns = self.columns(label, prediction)
        if weight is None:
            return self.combine(columns.sum(axis=-2))
        return self.combine(np.einsum("rn,...nk->...rk", weight, columns, optimize=True))
