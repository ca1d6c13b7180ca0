"""Draw a description of curves (report/curves.py) with matplotlib, as page/charts.py does with Altair."""

import polars as pl
from matplotlib.axes import Axes

from trml.report.curves import DODGE, Curves
from trml.report.style import GREY, SHADE, method_style


def draw_curves(axis: Axes, curves: Curves) -> None:
    """Draw the shown methods, and what lies below them: the bound, the margin, zero."""
    low, high = curves.domain
    if curves.bound is not None:
        edge = high if curves.bound_above else low
        axis.fill_between(curves.bound["x"], curves.bound["y"], edge, color=SHADE, linewidth=0, zorder=0)
        axis.plot(curves.bound["x"], curves.bound["y"], color=GREY, linewidth=0.8, label="Best possible (exact)")
    if curves.margin is not None:
        axis.axhspan(-curves.margin, curves.margin, color=SHADE, linewidth=0, zorder=0, label="within the margin")
    if curves.zero:
        axis.axhline(0, color=GREY, linewidth=0.8)
    for place, name in enumerate(curves.shown):
        rows = curves.drawn.filter(pl.col("method") == name).sort("x")
        if rows.height:
            aside = DODGE * (place - (len(curves.shown) - 1) / 2) if curves.whiskers else 0.0
            _draw_method(axis, curves, name, rows.with_columns(pl.col("x") + aside))
    axis.set_ylim(low, high)
    axis.set_xlim(-0.05, 1.05)
    axis.set_xticks(list(curves.ticks), [f"{100 * tick:g}" for tick in curves.ticks])
    axis.set_ylabel(curves.y_label)


def _draw_method(axis: Axes, curves: Curves, name: str, rows: pl.DataFrame) -> None:
    look, style = curves.looks[name], method_style(curves.looks[name])
    strong = name in curves.bands
    known = rows.filter(pl.col("low").is_not_null())
    if curves.whiskers:
        axis.plot(rows["x"], rows["y"], color=style["color"], linestyle=style["linestyle"], linewidth=0.6, alpha=0.6)
        axis.vlines(known["x"], known["low"], known["high"], color=style["color"], linewidth=1.0)
        points = {"marker": style["marker"], "markersize": 3.5, "linestyle": "", "color": style["color"]}
        decided = rows.filter("decided")
        axis.plot(rows["x"], rows["y"], **{**points, "markerfacecolor": "white"}, label=look.short)
        axis.plot(decided["x"], decided["y"], **points)
        return
    width, size, above = (2.4, 5, 5) if strong else (1.0, 3, 2)
    axis.plot(rows["x"], rows["y"], label=look.short, linewidth=width, markersize=size, zorder=above, **style)
    if strong:
        axis.fill_between(known["x"], known["low"], known["high"], color=style["color"], alpha=0.15, linewidth=0)
