"""Render the page from its template."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from trml.report.claims_page import count_sides, table_name, verdict_words
from trml.report.dataset import Dataset
from trml.report.findings import findings
from trml.report.literature.published import published_words
from trml.report.sections import Section, sections, sentence
from trml.report.tables.common.table import Table

_REM_PER_INCH = 8  # on the page: the 8 points of a figure's text come out as large as a caption


@dataclass(frozen=True)
class Shown:
    """A saved figure: its section, its name, its caption, its place in the section, and the svg file."""

    section: str
    name: str
    caption: str
    order: int
    svg: Path


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


def render(data: Dataset, shown: Sequence[Shown], tables: Mapping[str, Table], manifest: Mapping[str, Any]) -> str:
    """Return the page: one HTML text that refers to no other file.

    Args:
        data: The experiment.
        shown: Its figures.
        tables: Its tables by name.
        manifest: manifest.json.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = {figure.name for figure in shown}
    corpora = [each.inputs.published_as for each in data.corpora if each.inputs.published_as]
    return environment.get_template("index.html.j2").render(
        study=data.study,
        settings=data.inputs.settings,
        searched=data.inputs.searched,
        corpus=data.card.info,
        sizes=data.sizes,
        features=data.features,
        figures={figure.name: _embedded(figure) for figure in shown},
        parts=parts(data, shown, list(tables.values())),
        findings=findings(data),
        verdicts=verdict_words(data),
        claims=[
            {
                **claim,
                "counts": count_sides(claim),
                "table": tables[table_name(claim)],
                "figures": [name for name in claim["figures"] if name in names],
            }
            for claim in data.claims
        ],
        published=published_words(corpora, data.study.modalities),
        manifest=manifest,
        name=data.inputs.name,
        experiment=data.inputs.experiment,
        moved=data.inputs.moved,
        cells=len({cell["digest"] for each in (data, *data.others) for cell in each.cells}),
    )


def parts(data: Dataset, shown: Sequence[Shown], tables: Sequence[Table]) -> list[Part]:
    """Return the sections with their figures and tables, unknown ones last, empty ones left out."""
    known = sections(data)
    ids = {section.id for section in known} | {"claims"}  # claims have a place of their own
    named = dict.fromkeys([*(figure.section for figure in shown), *(table.section for table in tables)])
    filled = [
        Part(
            section,
            sorted((figure for figure in shown if figure.section == section.id), key=lambda figure: figure.order),
            sorted((table for table in tables if table.section == section.id), key=lambda table: table.order),
        )
        for section in (*known, *(Section(id_, sentence(id_)) for id_ in named if id_ not in ids))
    ]
    return [part for part in filled if part.figures or part.tables or part.section.empty]


def _embedded(figure: Shown) -> dict[str, Any]:
    """Return caption, source and width in rem: the figure's own bytes as a data URL."""
    svg = figure.svg.read_bytes()
    points = re.search(rb'<svg [^>]*?width="([0-9.]+)pt"', svg)
    assert points is not None, f"{figure.svg} names no width"
    return {
        "caption": figure.caption,
        "source": "data:image/svg+xml;base64," + base64.b64encode(svg).decode(),
        "width": round(float(points[1]) / 72 * _REM_PER_INCH, 1),
    }
