"""The recovered share of every method over the redundancy."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN, curve
from trml.report.figures.common.drawn import Drawn
from trml.report.style import GREY, plt

_CAPTION = (
    "With vision missing: the share that each method recovers of what the sentence tells about the label, over the "
    "redundancy: how much of what the face tells the sentence tells too. One is the exact ceiling, zero the constant "
    "predictor. At redundancy 0 nothing can be recovered; the table says which methods make something up."
)


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none for an experiment whose datasets do not vary the redundancy."""
    if data.redundancy is not None:
        yield Drawn("redundancy", "redundancy", _CAPTION, _recovered(data, data.redundancy))


def _recovered(data: Dataset, rows: pl.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(COLUMN, 3.9), layout="constrained")
    for method in data.study.methods:
        part = rows.filter(pl.col("method") == method.name, pl.col("recovered").is_not_null()).sort("redundancy")
        named = part.select("redundancy", value="recovered", low="recovered_low", high="recovered_high")
        curve(axis, named, "redundancy", data.looks[method.name], method)
    axis.axhline(1, color=GREY, linestyle="--", label="Ceiling (exact)")
    axis.axhline(0, color=GREY, linestyle=":", label="Constant predictor")
    axis.set_xlim(0, 1.02)
    axis.set_xlabel("redundancy: share of what the face tells that the sentence tells too")
    axis.set_ylabel("recovered share ↑")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
