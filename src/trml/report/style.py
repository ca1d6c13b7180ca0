"""One look for every figure: colour-blind safe (Okabe and Ito), legible in one column, the same bytes each time."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

mpl.use("Agg")

_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_LINES = ("-", "--", "-.")  # from the eighth series on the colours come again, with other lines

GREY = "#333333"

SEQUENTIAL = "cividis"

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
    """Colour, marker and line of the i-th series."""
    n = len(_PALETTE)
    return {"color": _PALETTE[i % n], "marker": _MARKERS[(i + i // n) % n], "linestyle": _LINES[i // n % len(_LINES)]}


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write a figure as pdf, svg and png, without dates in them."""
    folder.mkdir(parents=True, exist_ok=True)
    dateless = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    for kind, metadata in dateless.items():
        figure.savefig(folder / f"{name}.{kind}", metadata=metadata)
    plt.close(figure)
