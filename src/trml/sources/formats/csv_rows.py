"""Parse csv strictly: each column once, rows of one length, quotes as they should be, each row with its line."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trml.base.errors import ContractError
from trml.base.printable import listed, shortened
from trml.sources.formats.limits import CELLS, ROWS

_CELL = 1 << 24  # characters; only a quote that is never closed makes a longer cell


def columns_of(path: Path, text: str, separator: str) -> tuple[dict[str, list[str]], list[int]]:
    """Return the cells of each column, stripped, and the line on which each row begins. There may be no rows.

    Args:
        path: The file, for messages.
        text: What is in it.
        separator: Of its cells.

    Raises:
        ContractError: If it is none: ragged, open quotes, no header, a column twice, beyond the budget.
    """
    rows, lines = rows_of(path, text, separator)
    if not rows:
        raise ContractError(f"{path} is empty; expected a line of column names and a line for each utterance")
    header = [name.strip() for name in rows[0]]
    other = next((c for c in ";,\t|" if c != separator and c in rows[0][0]), None)
    if len(header) == 1 and other:
        raise ContractError(
            f"{path} line {lines[0]}: the cells are separated by {other!r}; expected {separator!r} in a "
            f"{path.suffix} file. Save it with {separator!r}, and decimals with a point"
        )
    _check_header(path, header)
    ragged = [
        f"line {line}: {len(row)} cells; expected {len(header)}, as in the header (a text with {separator!r} in it "
        "needs double quotes)"
        for line, row in zip(lines[1:], rows[1:], strict=True)
        if len(row) != len(header)
    ]
    if ragged:
        raise ContractError(
            f"{path}: ragged rows: {len(ragged):,} of {len(rows) - 1:,}\n{listed(ragged, 'such lines')}"
        )
    cells = zip(*rows[1:], strict=True) if rows[1:] else [()] * len(header)
    columns = {name: [cell.strip() for cell in column] for name, column in zip(header, cells, strict=True)}
    return columns, lines[1:]


def rows_of(path: Path, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows that are not blank, header first, and the line on which each begins.

    Args:
        path: The file, for messages.
        text: What is in it.
        separator: Of its cells.

    Raises:
        ContractError: If a quote is open or stray, or it has more rows or cells than the budget takes.
    """
    rows, lines, cells = [], [], 0
    for row, line in _numbered(path, text, separator):
        rows.append(row)
        lines.append(line)
        cells += len(row)
        if len(rows) > ROWS or cells > CELLS:
            raise ContractError(f"{path} has more than {ROWS:,} rows or {CELLS:,} cells")
    return rows, lines


def header_of(path: Path, text: str, separator: str) -> list[str]:
    """Return the first row that is not blank, which names the columns; nothing of a text without one.

    Raises:
        ContractError: If a quote of it is open or stray, or it names a column twice.
    """
    header = next((row for row, _ in _numbered(path, text, separator)), [])
    _check_header(path, header)
    return header


def _numbered(path: Path, text: str, separator: str) -> Iterator[tuple[list[str], int]]:
    """Yield the rows that are not blank, each with the line on which it begins."""
    csv.field_size_limit(_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begin = 1
    try:
        for row in reader:
            if row:
                yield row, begin
            begin = reader.line_num + 1
    except csv.Error as error:
        wrong = "a double quote is never closed" if "end of data" in str(error) else str(error)
        raise ContractError(
            f"{path} line {begin}: {wrong}; expected double quotes around a cell with quotes in it, and those doubled"
        ) from None


def _check_header(path: Path, header: list[str]) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        raise ContractError(f"{path} line 1: column {shortened(twice[0])} is listed twice; expected each name once")
