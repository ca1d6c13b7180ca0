"""Bars of shares: the mean over seeds, every seed as a dot, and levels to hold them against."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from trml.report.style import GREY


def bar(axis: Axes, x: float, by_seed: NDArray[np.float64], color: str) -> None:
    """Draw the mean of shares [seeds] as a bar and every seed as a dot."""
    axis.bar(x, by_seed.mean(), width=0.62, color=color, alpha=0.35, edgecolor=color)
    aside = np.linspace(-0.2, 0.2, len(by_seed)) if len(by_seed) > 1 else [0.0]
    axis.plot(x + np.asarray(aside), by_seed, "o", color=color, markersize=2.5)


def level(axis: Axes, x: float, y: float, style: str, label: str | None) -> None:
    """Draw a horizontal line across the bar at x."""
    axis.plot([x - 0.42, x + 0.42], [y, y], style, color=GREY, linewidth=1.1, label=label)


def shares(axis: Axes) -> None:
    """Show the vertical axis in per cent from zero, without a grid between bars."""
    axis.set_ylim(bottom=0)
    axis.set_axisbelow(True)
    axis.grid(visible=False, axis="x")
    axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
