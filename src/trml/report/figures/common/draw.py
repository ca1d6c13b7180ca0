"""Curves, intervals and axis words that figures share."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from matplotlib.axes import Axes

from trml.evaluation.contract import MetricInfo, Study, StudyMethod
from trml.report.looks import Look
from trml.report.style import look, method_style

COLUMN = 3.4  # inches, one column of a paper


def score(metric: MetricInfo) -> str:
    """Return the axis label of a metric, with an arrow towards better."""
    return f"{metric.label} {'↑' if metric.higher_is_better else '↓'}"


def rate_of(study: Study, victim: str) -> str:
    """Return in words what a missing rate counts: `missing rate of vision`."""
    label = study.pattern(victim).label
    what = label.removesuffix(" missing")
    return f"missing rate of {what}" if what != label else f"rate of {label}"


def curve(axis: Axes, series: pl.DataFrame, x: str, look_of: Look, method: StudyMethod) -> None:
    """Draw a method's scores over column x: the proposed one thick and with its band, all others thin."""
    if series.height == 0:
        return
    style, proposed = method_style(look_of), method.role == "proposed"
    axis.plot(
        series[x],
        series["value"],
        label=method.label,
        linewidth=2.2 if proposed else 1.0,
        markersize=5 if proposed else 3,
        zorder=5 if proposed else 2,
        **style,
    )
    if proposed:
        axis.fill_between(series[x], series["low"], series["high"], color=style["color"], alpha=0.15, linewidth=0)


def intervals(axis: Axes, rows: Sequence[Mapping[str, Any] | None], aside: float, i: int, label: str) -> None:
    """Draw the i-th series of intervals, one per row, shifted by `aside`; rows without one stay empty."""
    for y, row in enumerate(rows):
        if row is not None and row["low"] is not None:
            axis.plot([row["low"], row["high"]], [y + aside] * 2, color=look(i)["color"], linewidth=1.0)
            axis.plot([row["value"]], [y + aside], **{**look(i), "linestyle": ""})  # type: ignore[arg-type]
    axis.plot([], [], label=label, **{**look(i), "linestyle": ""})  # type: ignore[arg-type]
