"""How a method looks in every figure and on the page: a colour by family, a marker and a dash by member.

A method keeps its look whatever else is shown. The colours were searched for: the smallest distance between two of
them, in OKLab for normal, protan, deutan and tritan sight, is 0.12 on light and 0.10 on dark paper. None of this is in
the configuration, so that a new look renames no training.
"""

from dataclasses import dataclass
from itertools import cycle

from trml.evaluation.contract import Study


@dataclass(frozen=True)
class Family:
    """Methods of one idea, which share a colour.

    Attributes:
        name: In the page's style sheet.
        label: For readers.
        light: Colour on light paper. dark: On dark.
    """

    name: str
    label: str
    light: str
    dark: str


@dataclass(frozen=True)
class Marker:
    """A marker and a dash.

    Attributes:
        vega, matplotlib: What both call the marker.
        dash: Lengths of strokes and gaps, empty for a solid line.
        path: The marker's outline for the page's keys, in the middle of a box of 26 by 12.
    """

    vega: str
    matplotlib: str
    dash: tuple[float, ...]
    path: str


@dataclass(frozen=True)
class Look:
    """How one method looks.

    Attributes:
        short: Its name beside a curve.
    """

    short: str
    family: Family
    marker: Marker

    @property
    def linestyle(self) -> str | tuple[int, tuple[float, ...]]:
        """The dash as matplotlib takes it."""
        return (0, self.marker.dash) if self.marker.dash else "-"


LIGHT = {"paper": "#FDFCFA", "ink": "#1C1B19", "muted": "#6B665D", "rule": "#E9E5DD", "rule2": "#BDB7AB"}
LIGHT["shade"] = "#F1EDE5"
DARK = {"paper": "#161614", "ink": "#E9E6DF", "muted": "#A8A399", "rule": "#2D2B28", "rule2": "#58544D"}
DARK["shade"] = "#24231F"

FAMILIES = {
    family.name: family
    for family in (
        Family("proposed", "proposed", "#3A61BE", "#5B9DFD"),
        Family("fill", "fills", "#289D8F", "#7FE6BB"),
        Family("generate", "generative", "#DF6622", "#E2701F"),
        Family("translate", "translation and alignment", "#8F4775", "#AE78A7"),
        Family("supervised", "supervised, and all others", "#423E35", "#B2ACA3"),
    )
}

CIRCLE = Marker("circle", "o", (), "M13 2.5a3.5 3.5 0 1 0 .01 0Z")
MARKERS = (
    Marker("square", "s", (), "M10 3h6v6h-6Z"),
    Marker("triangle-up", "^", (5.0, 3.0), "M13 2l4 7h-8Z"),
    Marker("diamond", "D", (1.5, 2.5), "M13 2l4 4-4 4-4-4Z"),
    Marker("cross", "P", (8.0, 2.0, 1.5, 2.0), "M11.7 2h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7Z"),
    Marker("triangle-down", "v", (3.0, 1.5), "M13 10l4-7h-8Z"),
    Marker("triangle-right", ">", (10.0, 3.0), "M17 6l-7-4v8Z"),
    Marker("triangle-left", "<", (1.0, 1.0), "M9 6l7-4v8Z"),
)

# Each family's members: the name beside a curve where the label is long for one, and which of MARKERS it has.
_MEMBERS = {
    "fill": {"zero_fill": ("Zero fill", 0), "mean_fill": ("Mean fill", 1), "learned_token": ("Learned token", 2)},
    "generate": {"mfm": ("MFM", 0), "smil": ("SMIL", 1)},
    "translate": {"modal_trans": ("Modal-Trans", 0), "mm_align": ("MM-Align", 1)},
    "supervised": {
        "supervised_single": ("Single", 0),
        "supervised_single_matched": ("Single, TRML's size", 1),
        "supervised_double": ("Double", 3),
    },
}
_FREE = (2, 4, 5, 6)  # the markers that no member of the neutral family has


def looks(study: Study) -> dict[str, Look]:
    """Return the look of every method of a study, and of what was submitted to it, by name.

    The proposed method has a circle and a colour of its own. An unknown method takes the next marker of the neutral
    family, in the order of the study.
    """
    known = {
        name: Look(short, FAMILIES[family], MARKERS[i])
        for family, members in _MEMBERS.items()
        for name, (short, i) in members.items()
    }
    free = cycle(MARKERS[i] for i in _FREE)  # of more than four strangers the labels alone tell some apart
    made: dict[str, Look] = {}
    for name, label in study.entries.items():
        if study.proposed is not None and name == study.proposed.name:
            made[name] = Look(label, FAMILIES["proposed"], CIRCLE)
        else:
            made[name] = known.get(name) or Look(label, FAMILIES["supervised"], next(free))
    return made
