"""One look for every figure: colour-blind safe (looks.py), legible in one column, the same bytes each time.

The font is DejaVu Sans, which matplotlib brings, so that figures do not depend on the fonts of the machine. Characters
that it lacks are written out (`legible`); nothing is drawn as an empty box.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text

from trml.report.looks import FAMILIES, LIGHT, Look

mpl.use("Agg")

_PALETTE = tuple(family.light for family in FAMILIES.values())
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES = ("-", "--", "-.")  # from the sixth series on the colours come again, with other lines
GREY, SHADE = LIGHT["ink"], LIGHT["shade"]
GRID = "#e4e4e4"
ON_BRIGHT = "#010101"  # words on the bright colours of a heat map: black, which stays so on a dark page (page/dark.py)
SEQUENTIAL = "cividis"
_METADATA: dict[str, dict[str, None]] = {  # without dates
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "text.parse_math": False,  # a dollar sign in a text is no formula
        "font.size": 8,
        "axes.titlesize": 9,
        "axes.labelsize": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 7,
        "lines.linewidth": 1.4,
        "lines.scale_dashes": False,  # a dash is as long as on the page, however thick the line
        "lines.markersize": 4,
        "savefig.dpi": 200,
        "svg.hashsalt": "trml",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
    }
)


def method_style(look: Look) -> dict[str, Any]:
    """Return colour, marker and line of a method."""
    return {"color": look.family.light, "marker": look.marker.matplotlib, "linestyle": look.linestyle}


def look(i: int) -> dict[str, str]:
    """Return colour, marker and line of the i-th series of anything but methods."""
    n = len(_PALETTE)
    return {"color": _PALETTE[i % n], "marker": _MARKERS[(i + i // n) % n], "linestyle": _LINES[i // n % len(_LINES)]}


def save(figure: Figure, folder: Path, name: str, forms: Sequence[str] = ("pdf", "png")) -> None:
    """Write a figure as svg and in other forms, and close it. All have one layout, which is worked out once."""
    folder.mkdir(parents=True, exist_ok=True)
    _make_legible(figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    box = figure.get_tightbbox().padded(plt.rcParams["savefig.pad_inches"])
    for kind in ("svg", *forms):
        figure.savefig(folder / f"{name}.{kind}", metadata=_METADATA[kind], bbox_inches=box)
    plt.close(figure)


def legible(text: str, **font: str | int) -> str:
    """Return the text with characters that the font can draw.

    A character that it lacks becomes its plain form (`𝓱` -> `h`) or, a symbol, its name (`:face with tears of joy:`);
    joiners and modifiers vanish; any other becomes U+FFFD.

    Args:
        text: The text to draw.
        font: Style and weight, as `FontProperties` takes them: faces of one family hold different characters.
    """
    known = _characters(findfont(FontProperties(**font)))  # type: ignore[arg-type]
    return "".join(
        c if ord(c) in known or c == "\n" else _instead(c, known) for c in unicodedata.normalize("NFC", text)
    )


def _instead(character: str, known: frozenset[int]) -> str:
    plain = unicodedata.normalize("NFKC", character)
    category = unicodedata.category(character)
    if plain != character and all(ord(c) in known for c in plain):
        return plain
    if character.isspace():
        return " "
    if category in ("Mn", "Me", "Cf", "Cc", "Sk"):  # accents without a letter, joiners, controls, skin tones
        return ""
    if category == "So" and (name := unicodedata.name(character, "")):
        return f":{name.lower()}:"
    return UNKNOWN


@lru_cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(get_font(path).get_charmap())


def _make_legible(figure: Figure) -> None:
    """Replace, in every text of a figure, the characters that its font lacks."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if any(legible(label) != label for label in labels):
                axis.set_ticks(axis.get_ticklocs(), [legible(label) for label in labels])
    for text in figure.findobj(Text):
        font = text.get_fontproperties()
        words = legible(text.get_text(), style=font.get_style(), weight=font.get_weight())
        if words != text.get_text():
            text.set_text(words)
