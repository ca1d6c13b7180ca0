"""A table for readers and the numbers behind it, written as csv, markdown and LaTeX."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

Cell = tuple[str, bool]  # a text, and whether it is bold
Group = tuple[str, list[list[Cell]]]  # a heading, empty for none, and rows


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        section: Id of the section of the page that shows it (report/sections.py); an unknown one becomes a section of
            that title.
        name: Name of its files.
        title: Its heading.
        note: Explanation below the table.
        header: One text per column.
        groups: Rows as long as the header, in groups.
        data: Content of the csv: every number behind the table.
        order: Its place in the section, smallest first.
    """

    section: str
    name: str
    title: str
    note: str
    header: Sequence[str]
    groups: Sequence[Group]
    data: pl.DataFrame
    order: int = 0


def plain(texts: Iterable[str]) -> list[Cell]:
    """Return cells without emphasis."""
    return [(text, False) for text in texts]


def write_table(table: Table, folder: Path) -> None:
    """Write name.csv (numbers to six decimals), name.md and name.tex."""
    folder.mkdir(parents=True, exist_ok=True)
    table.data.with_columns(pl.col(pl.Float64).round(6)).write_csv(folder / f"{table.name}.csv")
    (folder / f"{table.name}.md").write_text(to_markdown(table))
    (folder / f"{table.name}.tex").write_text(to_latex(table))


def to_markdown(table: Table) -> str:
    """Return the table in markdown, with the headings of groups as rows."""
    lines = [f"**{table.title}**", "", _row(table.header), "|" + "---|" * len(table.header)]
    for title, rows in table.groups:
        if title:
            lines.append(_row([f"*{title}*"] + [""] * (len(table.header) - 1)))
        lines += [_row(_emphasised(row, lambda text: f"**{text}**")) for row in rows]
    return "\n".join([*lines, "", table.note, ""])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _emphasised(row: list[Cell], bold: Callable[[str], str]) -> list[str]:
    return [bold(text) if strong and text else text for text, strong in row]


def to_latex(table: Table) -> str:
    """Return a LaTeX table as wide as the text; it needs booktabs and graphicx."""
    n = len(table.header)
    lines = [r"\begin{table*}", r"\centering", f"\\caption{{{_tex(table.title)}. {_tex(table.note)}}}"]
    lines += [f"\\label{{tab:{table.name}}}", r"\resizebox{\textwidth}{!}{%"]
    lines += [f"\\begin{{tabular}}{{l{'r' * (n - 1)}}}", r"\toprule"]
    lines += [" & ".join(_tex(text) for text in table.header) + r" \\"]
    for title, rows in table.groups:
        lines.append(r"\midrule")
        if title:
            lines.append(f"\\multicolumn{{{n}}}{{l}}{{\\emph{{{_tex(title)}}}}} \\\\")
        for row in rows:
            escaped = [(_tex(text), strong) for text, strong in row]
            lines.append(" & ".join(_emphasised(escaped, lambda text: f"\\textbf{{{text}}}")) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table*}", ""])


_TEX = str.maketrans(
    {
        "\\": r"\textbackslash ",
        "&": r"\&",
        "%": r"\%",
        "_": r"\_",
        "#": r"\#",
        "$": r"\$",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde ",
        "^": r"\textasciicircum ",
    }
)


def _tex(text: str) -> str:
    return text.translate(_TEX)
