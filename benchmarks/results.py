"""The results files: results.csv, a row a figure, and results.md, a table a part."""

import csv
import inspect
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import machine, versions
from benchmarks.row import Found, Note, Row
from trml.base.artifacts import write_text
from trml.base.progress import say


class _Part(NamedTuple):
    name: str
    about: str
    found: list[Found]

    @property
    def rows(self) -> list[Row]:
        return [each for each in self.found if isinstance(each, Row)]


class Results:
    """The figures of one run, and the files in `folder` that show them."""

    def __init__(self, folder: Path, quick: bool) -> None:
        self.folder, self.quick, self.date = folder, quick, datetime.now(UTC)
        self.parts: list[_Part] = []

    def add(self, name: str, about: str, found: Iterable[Found]) -> None:
        """Take the figures of a part as it finds them."""
        part = _Part(name, about, [])
        for each in found:
            say(f"  {each.text}" if isinstance(each, Note) else f"  {each.case}: {each.quantity} {_cell(each)}")
            part.found.append(each)
        self.parts.append(part)

    def write(self) -> None:
        """Write both files."""
        write_text(self.folder / "results.csv", self._csv())
        write_text(self.folder / "results.md", "\n".join(self._md()))

    def _csv(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["part", *Row._fields])
        for part in self.parts:
            writer.writerows([part.name, *row._replace(value=float(f"{row.value:.6g}"))] for row in part.rows)
        return out.getvalue()

    def _md(self) -> list[str]:
        lines = ["# Benchmarks", "", "Written by `python -m benchmarks`; all figures come from one run.", ""]
        if self.quick:
            lines += ["**A quick run: the sizes are small and the figures mean nothing.**", ""]
        about = {"date": f"{self.date:%Y-%m-%d %H:%M} UTC", "machine": machine(), "versions": versions()}
        lines += [f"- {what}: {value}" for what, value in about.items()]
        for part in self.parts:
            lines += ["", f"## {part.name}", "", inspect.cleandoc(part.about), *_table(part.rows)]
            lines += [line for each in part.found if isinstance(each, Note) for line in ("", f"Note: {each.text}")]
        return [*lines, ""]


def _table(rows: list[Row]) -> list[str]:
    """Return a table with a line a case and a column a quantity."""
    if not rows:
        return []
    values = {(row.case, row.quantity): _cell(row) for row in rows}
    cases, quantities = (list(dict.fromkeys(names)) for names in zip(*values, strict=True))
    body = [[case, *(values.get((case, quantity), "") for quantity in quantities)] for case in cases]
    lines = [["case", *quantities], ["---"] * (len(quantities) + 1), *body]
    return ["", *(f"| {' | '.join(line)} |" for line in lines)]


def _cell(row: Row) -> str:
    size = abs(row.value)
    number = f"{row.value:,.0f}" if size >= 100 or row.value == 0 else f"{row.value:.3g}"
    return f"{number} {row.unit}".strip()
