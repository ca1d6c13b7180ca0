"""Scores of every method over what a prediction costs."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN, score
from trml.report.figures.common.drawn import Drawn
from trml.report.style import method_style, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none where no training was probed."""
    rows = data.analysed.cost if data.analysed else pl.DataFrame()
    if rows.height:
        caption = (
            f"{data.primary.label} at missing rate {data.study.study_rate:g} over the operations that predict one "
            "utterance, with 95 % intervals. The table has parameters and times."
        )
        yield Drawn("cost", "cost", caption, _scatter(data, rows))


def _scatter(data: Dataset, rows: pl.DataFrame) -> Figure:
    study, victims = data.study, data.study.single_victims
    figure, axes = plt.subplots(
        1, len(victims), figsize=(COLUMN * len(victims), 3.2), squeeze=False, layout="constrained"
    )
    operations = dict(rows.select("method", pl.col("operations") / 1e6).iter_rows())
    for axis, victim in zip(axes[0], victims, strict=True):
        part = data.compared.filter(
            pl.col("variant") == DEFAULT,
            pl.col("rate") == study.study_rate,
            pl.col("victim") == victim,
            pl.col("metric") == data.primary.name,
            pl.col("value").is_not_null(),
        )
        scores = {row["method"]: row for row in part.iter_rows(named=True)}
        for method in study.methods:
            row = scores.get(method.name)
            if row and method.name in operations:
                reach = None if row["low"] is None else [[row["value"] - row["low"]], [row["high"] - row["value"]]]
                style = {**method_style(data.looks[method.name]), "linestyle": ""}
                axis.errorbar([operations[method.name]], [row["value"]], yerr=reach, label=method.label, **style)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter("")
        axis.set_xlabel("million operations a prediction")
        axis.set_ylabel(score(data.primary))
        axis.set_title(study.pattern(victim).label)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
