"""A metric as sums over utterances, so that leaving out a group is one subtraction."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """A score of predictions.

    Labels and predictions become K columns, and the score is a function of their sums.

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

    def score(self, label: Array, prediction: Array, counted: Mask | None = None) -> Array:
        """Return the score of predictions.

        Args:
            label: [N].
            prediction: [..., N].
            counted: [..., N], the utterances that are scored; None for all.

        Returns:
            Scores [...], NaN where no utterance is scored.
        """
        return self._combined(self._counted(label, prediction, counted).sum(axis=-2))

    def without_each(
        self, label: Array, prediction: Array, group: NDArray[np.int64], counted: Mask | None = None
    ) -> Array:
        """Return the scores with each group of utterances left out in turn.

        Args:
            label: [N].
            prediction: [..., N].
            group: [N], numbers 0 to G - 1.
            counted: As for `score`.

        Returns:
            Scores [..., G], NaN where no utterance is left.
        """
        columns = self._counted(label, prediction, counted)
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        of_groups = np.add.reduceat(columns[..., order, :], starts, axis=-2)
        return self._combined(columns.sum(axis=-2, keepdims=True) - of_groups)

    def _counted(self, label: Array, prediction: Array, counted: Mask | None) -> Array:
        """Return the columns [..., N, K + 1], the last the number of utterances; those that are not scored are 0."""
        columns = self.columns(label, prediction)
        weight = np.ones(columns.shape[:-1]) if counted is None else counted.astype(float)
        return np.concatenate([columns * weight[..., None], weight[..., None]], axis=-1)

    def _combined(self, sums: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return np.where(sums[..., -1] > 0.5, self.combine(sums[..., :-1]), np.nan)
