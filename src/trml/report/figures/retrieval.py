"""Retrieval of the true partner from a virtual modality."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.report.dataset import Dataset
from trml.report.figures.common.bars import bar, level, shares
from trml.report.figures.common.drawn import Drawn
from trml.report.figures.common.probed import trained
from trml.report.style import look, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none where nothing was probed."""
    if data.probes is not None:
        rows = data.probes.retrieval
        yield Drawn("virtual", "virtual_retrieval", f"{_caption(rows)} {trained(data)}.", _retrieval(rows), 0)


def _retrieval(rows: pl.DataFrame) -> Figure:
    """Draw R@1 and R@5, one bar per victim, with seeds, chance and, where known, the best possible value."""
    victims = rows["victim"].unique(maintain_order=True).to_list()
    figure, axes = plt.subplots(1, 2, figsize=(max(3.4, 1.7 * len(victims)), 2.3), layout="constrained")
    for axis, k in zip(axes, (1, 5), strict=True):
        for i, victim in enumerate(victims):
            part = rows.filter(pl.col("victim") == victim)
            bar(axis, i, part[f"r{k}"].to_numpy(), look(i)["color"])
            level(axis, i, part[f"r{k}_chance"][0], "--", "chance" if i == 0 else None)
            if part[f"r{k}_best"][0] is not None:
                level(axis, i, part[f"r{k}_best"][0], "-", "common factor known" if i == 0 else None)
        axis.set_xticks(range(len(victims)), [f"virtual\n{victim}" for victim in victims])
        axis.set_title(f"R@{k} ↑")
        shares(axis)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _caption(rows: pl.DataFrame) -> str:
    """Return the caption, with what R@k leaves out."""
    parts = []
    for (victim,), part in rows.group_by("victim", maintain_order=True):
        mean = part.mean().row(0, named=True)
        best = f", common factor known {mean['median_rank_best']:.1f}" if mean["median_rank_best"] is not None else ""
        parts.append(
            f"Virtual {victim}: median rank {mean['median_rank']:.1f} (chance {mean['median_rank_chance']:.1f}{best}), "
            f"mean cosine {mean['diagonal']:.2f} to the partner and {mean['off_diagonal']:.2f} to others."
        )
    known = "Solid line: expected when the only factor that the modalities share is known. "
    return (
        "How often the true partner is the first, or among the first five, of the real vectors by cosine similarity to "
        f"the virtual one. Bars: mean over seeds; dots: seeds. {known if rows['r1_best'].null_count() == 0 else ''}"
        + " ".join(parts)
    )
