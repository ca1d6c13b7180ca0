"""Scores of every method over the missing rate of each pattern."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.report.curves import View, over_rates
from trml.report.dataset import Dataset
from trml.report.figures.common.curves import draw_curves
from trml.report.figures.common.draw import COLUMN, rate_of, score
from trml.report.figures.common.drawn import Drawn
from trml.report.sections import further, pattern_section
from trml.report.style import plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the curves of the experiment's own dataset, then those of each regime and further corpus."""
    for protocol in ("matched", "complete"):
        for i, victim in enumerate(data.study.victims):
            section = pattern_section(data.study, victim) if protocol == "matched" else "complete"
            yield from _curves(data, protocol, victim, section, i)
    for other in (*data.regimes, *data.corpora[1:]):
        section = further(other.study) or "corpora"
        for protocol in ("matched", "complete"):
            for i, victim in enumerate(other.study.victims):
                yield from _curves(other, protocol, victim, section, i)


def _curves(data: Dataset, protocol: str, victim: str, section: str, order: int) -> Iterator[Drawn]:
    part = data.summary.filter(pl.col("protocol") == protocol, pl.col("victim") == victim)
    if part["rate"].max() not in (None, 0.0):
        start = "rates" if protocol == "matched" else "complete_training"
        order += 100 * (protocol == "complete")  # behind those of matched rates, where they share a section
        name = f"{start}_{victim}{data.suffix}"
        yield Drawn(section, name, _caption(data, protocol, victim), rate_curves(data, protocol, victim), order)


def rate_curves(data: Dataset, protocol: str, victim: str) -> Figure:
    """Draw the scores of every method over the missing rate, one panel per metric."""
    study, metrics = data.study, data.drawn
    size = (COLUMN * len(metrics), 3.9)
    figure, axes = plt.subplots(1, len(metrics), figsize=size, squeeze=False, layout="constrained")
    bands = [study.proposed.name] if study.proposed else []
    for axis, metric in zip(axes[0], metrics, strict=True):
        view = View(protocol, victim, metric)
        draw_curves(axis, over_rates(data.by_present, study, view, data.looks, list(data.looks), bands))
        axis.set_xlabel(f"{rate_of(study, victim)}, %")
        axis.set_ylabel(score(metric))
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 * len(metrics) if len(metrics) < 3 else 5)
    return figure


def _caption(data: Dataset, protocol: str, victim: str) -> str:
    study = data.study
    trained = (
        "in training and at evaluation alike" if protocol == "matched" else "at evaluation; trained on complete data"
    )
    ceiling = data.summary.filter(pl.col("method") == "ceiling", pl.col("victim") == victim)["rate"].n_unique() > 1
    upper = f"{study.upper.label} is trained on complete data. " if study.upper else ""
    return (
        f"Scores over the {rate_of(study, victim)}, {trained}. Lines: means over seeds; the "
        "band of the proposed method: its 95 % interval over seeds and groups of test utterances (the tables have all "
        f"intervals). {upper}"
        + ("Shaded: beyond the exact ceiling of the corpus. " if ceiling else "")
        + "The constant predictor is not drawn; its score is in the tables."
    )
