"""One look for every figure: colour-blind safe (Okabe and Ito), legible in one column, the same bytes each time."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

plt.rcParams.update(
    {
        "font.size": 8,
        "axes.titlesize": 9,
        "axes.labelsize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e4e4e4",
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 7,
        "lines.linewidth": 1.4,
        "lines.markersize": 4,
        "savefig.bbox": "tight",
        "savefig.dpi": 200,
        "svg.hashsalt": "trml",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
    }
)


def look(i: int) -> dict[str, str]:
    """Colour and marker of the i-th series."""
    return {"color": _PALETTE[i % len(_PALETTE)], "marker": _MARKERS[i % len(_MARKERS)]}


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as pdf, svg and png, without dates in them."""
    folder.mkdir(parents=True, exist_ok=True)
    dateless = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    for kind, metadata in dateless.items():
        figure.savefig(folder / f"{name}.{kind}", metadata=metadata)
    plt.close(figure)
