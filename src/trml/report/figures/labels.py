"""Scores of every method over the number of labelled training utterances."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN, curve, score
from trml.report.figures.common.drawn import Drawn
from trml.report.style import GREY, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none for an experiment that does not vary the number of labels."""
    if data.axes is None:
        return
    rows = data.axes.filter(pl.col("label_noise") == 0, pl.col("absence") == "by_chance")
    if rows["labels"].n_unique() > 1:
        caption = (
            "Scores over the number of labelled training utterances, on all test utterances without the modality; the "
            "other training utterances are used without their labels. The band of the proposed method: its 95 % "
            "interval."
        )
        caption += " Dashed: the exact ceiling." if rows["ceiling"].null_count() == 0 else ""
        yield Drawn("axes", "labels", caption, _curves(data, rows))


def _curves(data: Dataset, rows: pl.DataFrame) -> Figure:
    victims, names = data.study.single_victims, rows.filter(pl.col("dataset").is_not_null())["method"].unique()
    size = (COLUMN * len(victims), 3.4)
    figure, panels = plt.subplots(1, len(victims), figsize=size, squeeze=False, layout="constrained")
    for axis, victim in zip(panels[0], victims, strict=True):
        part = rows.filter(pl.col("victim") == victim)
        for method in data.study.methods:
            if method.name in names:
                series = part.filter(pl.col("method") == method.name).sort("labels")
                curve(axis, series, "labels", data.looks[method.name], method)
        if part["ceiling"].null_count() == 0:
            axis.axhline(part["ceiling"][0], color=GREY, linestyle="--", label="Ceiling (exact)")
        counts = part["labels"].unique().sort()
        axis.set_xscale("log")
        axis.set_xticks(counts, [str(count) for count in counts])
        axis.minorticks_off()
        axis.set_xlabel("labelled training utterances")
        axis.set_ylabel(score(data.primary))
        axis.set_title(data.study.pattern(victim).label)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
