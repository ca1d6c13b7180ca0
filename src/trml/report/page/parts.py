"""The figures and tables of other components, in their sections, and where each section stands on the page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from trml.report.page.dark import with_dark
from trml.report.page.inputs import PageInputs, Shown
from trml.report.sections import Section, sentence
from trml.report.tables.common.table import Table

_REM_PER_INCH = 8  # the 8 points of a figure's text come out as large as a caption
# Sections of report/sections.py -> the part of the page that they stand in; all others stand in `further`.
PLACES = {
    "curves": "leaderboard",
    "verdicts": "claims",
    "matrix": "patterns",
    "redundancy": "recovered",
    "virtual": "recovered",
    "studies": "choices",
    "search": "choices",
    "cost": "choices",
    "cards": "made",
}
FURTHER = "further"


@dataclass(frozen=True)
class Part:
    """A section with what it shows."""

    section: Section
    figures: Sequence[Shown]
    tables: Sequence[Table]

    @property
    def anchor(self) -> str:
        """The section's id as the page links to it."""
        return re.sub(r"\W+", "-", self.section.id)


def parts(inputs: PageInputs) -> dict[str, list[Part]]:
    """Return the sections by their place: unknown ones last, empty ones left out."""
    figures = [figure for figure in inputs.figures if not is_replaced(inputs, figure.name)]
    tables = [table for table in inputs.tables.values() if table.section != "claims"]
    known = inputs.facts.sections
    ids = {section.id for section in known}
    named = dict.fromkeys([*(figure.section for figure in figures), *(table.section for table in tables)])
    placed: dict[str, list[Part]] = {}
    for section in (*known, *(Section(id_, sentence(id_)) for id_ in named if id_ not in ids)):
        part = Part(
            section,
            sorted((figure for figure in figures if figure.section == section.id), key=lambda figure: figure.order),
            sorted((table for table in tables if table.section == section.id), key=lambda table: table.order),
        )
        if part.figures or part.tables or section.empty:
            placed.setdefault(PLACES.get(section.id, FURTHER), []).append(part)
    return placed


def is_replaced(inputs: PageInputs, name: str) -> bool:
    """Return whether the page draws what a figure shows itself: curves of own data, and examples with their clips."""
    if name in ("virtual_worst", "virtual_best"):
        return inputs.examples is not None
    drawn = {
        f"{start}_{victim}{each.suffix}"
        for each in inputs.datasets
        for victim in each.study.victims
        for start in ("rates", "complete_training", "differences")
    }
    return name in drawn


@dataclass(frozen=True)
class Picture:
    """A figure as the page embeds it: its own bytes as an address, and its width in rem."""

    name: str
    caption: str
    source: str
    width: float


def pictures(placed: Mapping[str, Sequence[Part]]) -> dict[str, Picture]:
    """Return the figures of all parts by name."""
    return {shown.name: _picture(shown) for some in placed.values() for part in some for shown in part.figures}


def _picture(shown: Shown) -> Picture:
    svg = shown.svg.read_bytes()
    points = re.search(rb'<svg [^>]*?width="([0-9.]+)pt"', svg)
    assert points is not None, f"{shown.svg} names no width"
    source = "data:image/svg+xml," + quote(with_dark(svg), safe=" ,:;/=")  # a third smaller than base64
    return Picture(shown.name, shown.caption, source, round(float(points[1]) / 72 * _REM_PER_INCH, 1))
