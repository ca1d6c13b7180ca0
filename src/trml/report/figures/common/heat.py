"""Numbers in the cells of a heat map."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from trml.evaluation.contract import MetricInfo
from trml.report.style import ON_BRIGHT


def annotate(axis: Axes, scores: NDArray[np.float64], metric: MetricInfo) -> None:
    """Write each score [rows, columns] into its cell, black on bright and white on dark; failed ones are named so."""
    middle = 0.0 if np.isnan(scores).all() else (np.nanmin(scores) + np.nanmax(scores)) / 2
    for (i, j), value in np.ndenumerate(scores):
        if np.isnan(value):
            axis.text(j, i, "failed", ha="center", va="center", size=7, color="black")
            continue
        bright = (value > middle) == metric.higher_is_better
        axis.text(j, i, f"{value:.3f}", ha="center", va="center", size=7, color=ON_BRIGHT if bright else "white")
