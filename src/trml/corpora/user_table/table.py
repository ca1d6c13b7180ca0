"""Read a table (.csv, .tsv or .parquet): every cell as text, every row with its line in the file."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trml.base.errors import ContractError, DataMissing
from trml.base.files import not_a_file
from trml.base.printable import few, setting, shell_word, shortened
from trml.sources.formats.csv_text import csv_text
from trml.sources.formats.limits import CELLS, ROWS
from trml.sources.formats.parquet import read_parquet

SEPARATORS = {".csv": ",", ".tsv": "\t"}

FORMATS = (*SEPARATORS, ".parquet")

SHOWN = 20  # faults of one kind that are listed

_CELL = 1 << 24  # characters; only a quote that is never closed makes a longer cell


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        path: Its file.
        columns: Name -> cells, stripped, "" if empty.
        lines: The line on which each row begins; for parquet, the number of the row from 1.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]


def read_table(path: Path) -> Table:
    """Read a table.

    Raises:
        DataMissing: If it is absent.
        ContractError: If it is malformed; the message has a line for each fault.
    """
    if path.suffix.lower() not in FORMATS:
        raise ContractError(
            f"{path} has the suffix {path.suffix!r}; expected a table: {', '.join(FORMATS)}. Save it as one of these"
        )
    if (kind := not_a_file(path)) is not None:
        raise DataMissing(f"{path} {kind}; {_tables_beside(path)}")
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)


def listed(lines: list[str], of: str) -> str:
    """Return the first lines, indented, and the number of others."""
    more = [f"  and {len(lines) - SHOWN:,} more {of}"] if len(lines) > SHOWN else []
    return "\n".join([*(f"  {line}" for line in lines[:SHOWN]), *more])


def _tables_beside(path: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {path.parent} is absent"
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in FORMATS)
    if not names:
        return f"{path.parent} holds no table ({', '.join(FORMATS)}). Put it there"
    chosen = shell_word(setting("corpus.table", names[0]))
    return f"the folder holds {few(names)}: {chosen}, or trml check ... --table {shell_word(names[0])}"


def _read_csv(path: Path) -> Table:
    separator = SEPARATORS[path.suffix.lower()]
    rows, lines = _cells(path, csv_text(path), separator)
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
    return _with_rows(Table(path, columns, lines[1:]))


def _cells(path: Path, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows that are not blank, header first, and the line on which each begins."""
    csv.field_size_limit(_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, lines, begin, cells = [], [], 1, 0
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(begin)
                cells += len(row)
                if len(rows) > ROWS or cells > CELLS:
                    raise ContractError(f"{path} has more than {ROWS:,} rows or {CELLS:,} cells")
            begin = reader.line_num + 1
    except csv.Error as error:
        wrong = "a double quote is never closed" if "end of data" in str(error) else str(error)
        raise ContractError(
            f"{path} line {begin}: {wrong}; expected double quotes around a cell with quotes in it, and those doubled"
        ) from None
    return rows, lines


def _check_header(path: Path, header: list[str]) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        raise ContractError(f"{path} line 1: column {shortened(twice[0])} is listed twice; expected each name once")


def _read_parquet(path: Path) -> Table:
    frame = read_parquet(path)
    columns = {name: _as_text(frame[name]) for name in frame.columns if not _is_nested(frame[name].dtype)}
    return _with_rows(Table(path, columns, list(range(1, frame.height + 1))))


def _is_nested(dtype: pl.DataType) -> bool:
    """Return whether a column holds lists, bytes and the like, which cannot have a role."""
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration)


def _as_text(column: pl.Series) -> list[str]:
    return [cell.strip() for cell in column.cast(pl.String).fill_null("")]


def _with_rows(table: Table) -> Table:
    if not table.lines:
        raise ContractError(f"{table.path} has no rows; expected one for each utterance")
    return table
