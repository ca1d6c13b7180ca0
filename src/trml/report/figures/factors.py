"""The latent factors that a virtual vector carries, for a corpus that knows its own."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.report.dataset import Dataset
from trml.report.figures.common.bars import bar, level, shares
from trml.report.figures.common.drawn import Drawn
from trml.report.figures.common.probed import trained
from trml.report.style import look, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none where the corpus knows no factors."""
    if data.probes is not None and data.probes.factors.height:
        caption = (
            "What a virtual vector carries: how often the real vector nearest to it has the same level of each factor "
            "that shows in that modality. Only the common factor can be known from the other modality; the others "
            f"should be at chance (dashed). Dots: seeds. {trained(data)}."
        )
        yield Drawn("virtual", "virtual_factors", caption, _factors(data.probes.factors), 1)


def _factors(rows: pl.DataFrame) -> Figure:
    """Draw one bar per factor, one panel per victim."""
    victims = rows["victim"].unique(maintain_order=True).to_list()
    size = (1.7 * len(victims), 2.3)
    figure, axes = plt.subplots(1, len(victims), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for v, (axis, victim) in enumerate(zip(axes[0], victims, strict=True)):
        part = rows.filter(pl.col("victim") == victim)
        factors = part["factor"].unique(maintain_order=True).to_list()
        for i, factor in enumerate(factors):
            of_factor = part.filter(pl.col("factor") == factor)
            bar(axis, i, of_factor["same"].to_numpy(), look(v)["color"])
            level(axis, i, of_factor["chance"][0], "--", "chance" if i == 0 else None)
        axis.set_xticks(range(len(factors)), [factor.replace("_", "\n") for factor in factors])
        axis.set_title(f"virtual {victim}")
        shares(axis)
    axes[0][0].set_ylabel("same level as nearest")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center")
    return figure
