"""Scores over how wrong a modality is."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.evaluation.contract import NOTHING
from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN, curve, score
from trml.report.figures.common.drawn import Drawn
from trml.report.style import plt

_DRAWN = {"noise": "noise, in units of the vectors' own spread", "wrong": "share with another utterance's"}


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield one figure a modality, none for an experiment without these analyses."""
    rows = data.analysed.corruption if data.analysed else pl.DataFrame()
    for i, modality in enumerate(data.study.single_victims if rows.height else ()):
        part = rows.filter(pl.col("modality") == modality, pl.col("trained") == NOTHING)
        caption = (
            f"{data.primary.label} of methods trained on complete data as the {modality} of all test utterances gets "
            "worse. Crosses at the right: the same methods without it. Where a curve passes "
            f"{'below' if data.primary.higher_is_better else 'above'} its cross, a wrong modality is worse than none."
        )
        yield Drawn("wrong", f"corruption_{modality}", caption, _curves(data, part, modality), i)


def _curves(data: Dataset, part: pl.DataFrame, modality: str) -> Figure:
    figure, panels = plt.subplots(
        1, len(_DRAWN), figsize=(COLUMN * len(_DRAWN), 3.6), sharey=True, layout="constrained"
    )
    for axis, (name, words) in zip(panels, _DRAWN.items(), strict=True):
        for method in data.study.methods:
            mine = part.filter(pl.col("method") == method.name)
            series = mine.filter(pl.col("corruption").is_in(["clean", name])).sort("level")
            curve(axis, series, "level", data.looks[method.name], method)
            absent = mine.filter(pl.col("corruption") == "absent")
            if absent.height and series.height:
                at = 1.06 * part.filter(pl.col("corruption") == name)["level"].max()  # type: ignore[operator]
                axis.plot([at], absent["value"], marker="x", linestyle="", color=data.looks[method.name].family.light)
        axis.set_xlabel(f"{modality}: {words}")
    panels[0].set_ylabel(score(data.primary))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure
