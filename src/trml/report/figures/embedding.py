"""Real and virtual vectors in the plane."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure

from trml.report.dataset import Dataset
from trml.report.figures.common.drawn import Drawn
from trml.report.figures.common.probed import trained
from trml.report.style import GREY, look, plt

_SENTIMENT = LinearSegmentedColormap.from_list("sentiment", ["#0072B2", "#b4b4b4", "#D55E00"])  # no white: shows on it
_MANY = 2500  # markers; more are drawn as one picture in vector files


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none where nothing was probed."""
    probes = data.probes
    if probes is not None:
        caption = (
            f"Real and virtual vectors of the same test utterances in one t-SNE, seed {probes.seeds[0]}. "
            f"{trained(data)}."
        )
        figure = _embedding(probes.embedding, probes.examples["classes"])
        yield Drawn("virtual", "virtual_embedding", caption, figure, 3)


def _embedding(points: pl.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw real vectors as open and virtual ones as filled markers, coloured by label, one panel per victim."""
    victims = points["modality"].unique(maintain_order=True).to_list()
    figure, axes = plt.subplots(1, len(victims), figsize=(3.4 * len(victims), 2.9), squeeze=False, layout="constrained")
    cmap = ListedColormap([look(k)["color"] for k in range(len(classes))]) if classes else _SENTIMENT
    reach = float(np.abs(points["label"].to_numpy()).max()) or 1.0
    low, high = (-0.5, len(classes) - 0.5) if classes else (-reach, reach)
    for axis, victim in zip(axes[0], victims, strict=True):
        part = points.filter(pl.col("modality") == victim)
        _scatter(axis, part, cmap, low, high, rasterized=points.height > _MANY)
        axis.set_title(victim)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_aspect("equal", adjustable="datalim")
        axis.spines[:].set_visible(True)
        axis.spines[:].set_color("#bbbbbb")
    axes[0][0].plot([], [], "o", color="none", markeredgecolor=GREY, label="real")
    axes[0][0].plot([], [], "^", color=GREY, label="virtual")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    scale = plt.cm.ScalarMappable(plt.Normalize(low, high), cmap)
    bar = figure.colorbar(scale, ax=list(axes[0]), label="" if classes else "sentiment", pad=0.01, aspect=25)
    if classes:
        bar.set_ticks(range(len(classes)), labels=classes)
    return figure


def _scatter(axis: Axes, part: pl.DataFrame, cmap: Colormap, low: float, high: float, *, rasterized: bool) -> None:
    for kind, marker in (("real", "o"), ("virtual", "^")):
        rows = part.filter(pl.col("kind") == kind)
        colors = cmap((rows["label"].to_numpy() - low) / (high - low))
        axis.scatter(
            rows["x"],
            rows["y"],
            s=14,
            marker=marker,
            facecolors="none" if kind == "real" else colors,
            edgecolors=colors if kind == "real" else "#555555",  # type: ignore[arg-type]
            linewidths=1.0 if kind == "real" else 0.3,
            rasterized=rasterized,
        )
