"""Every method's score less the proposed method's over the missing rate, with paired intervals."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from trml.report.curves import Curves, View, differences
from trml.report.dataset import Dataset
from trml.report.figures.common.curves import draw_curves
from trml.report.figures.common.draw import COLUMN, rate_of
from trml.report.figures.common.drawn import Drawn
from trml.report.sections import pattern_section
from trml.report.style import plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield a figure for each pattern, none without a proposed method or where no two methods were compared."""
    study = data.study
    if study.proposed is None:
        return
    for i, victim in enumerate(study.victims):
        view, name = View(study.training, victim, data.primary), study.proposed.name
        curves = differences(data.pairs, study, view, data.looks, list(data.looks), name)
        if curves.drawn.height:
            caption = (
                f"{data.primary.label} of each method less that of {study.proposed.label} over the "
                f"{rate_of(study, victim)}, with paired 95 % intervals. Filled: decided after Holm's correction. "
                "Shaded: within the margin of equivalence."
            )
            yield Drawn(
                pattern_section(study, victim), f"differences_{victim}", caption, _draw(data, curves, victim), 50 + i
            )


def _draw(data: Dataset, curves: Curves, victim: str) -> Figure:
    figure, axis = plt.subplots(figsize=(COLUMN, 3.6), layout="constrained")
    draw_curves(axis, curves)
    axis.set_xlabel(f"{rate_of(data.study, victim)}, %")
    axis.yaxis.label.set_fontsize(7)
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure
