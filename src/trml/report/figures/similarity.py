"""Cosine similarity of real and virtual vectors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from trml.report.dataset import Dataset
from trml.report.figures.common.drawn import Drawn
from trml.report.figures.common.probed import trained
from trml.report.style import plt

_COSINE = "RdBu_r"


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none where nothing was probed."""
    probes = data.probes
    if probes is not None:
        n = len(probes.similarity[f"{probes.victims[0]}_label"])
        caption = (
            f"Cosine similarity of real to real and of virtual to real vectors, {n} test utterances sorted by label, "
            f"seed {probes.seeds[0]}. {trained(data)}."
        )
        yield Drawn("virtual", "virtual_similarity", caption, _similarity(probes.similarity, probes.victims), 2)


def _similarity(matrices: Mapping[str, NDArray[Any]], victims: Sequence[str]) -> Figure:
    """Draw real to real beside virtual to real, one pair of heat maps per victim, all on one scale."""
    figure, axes = plt.subplots(1, 2 * len(victims), figsize=(3.4 * len(victims), 2.05), layout="constrained")
    shown = [(victim, kind) for victim in victims for kind in ("real", "virtual")]
    for axis, (victim, kind) in zip(axes, shown, strict=True):
        image = axis.imshow(
            matrices[f"{victim}_{kind}"], cmap=_COSINE, vmin=-1, vmax=1, interpolation="nearest", rasterized=True
        )
        axis.set_title(f"{kind} {victim}")
        axis.set_xlabel(f"real {victim}")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    axes[0].set_ylabel("test utterances,\nsorted by label")
    figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.85, aspect=16, pad=0.01)
    return figure
