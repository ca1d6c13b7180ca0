"""Tables of other people's predictions: read from .csv or .parquet, every column as text or as numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from trml.base.errors import ContractError
from trml.base.nearest import nearest
from trml.base.printable import few, plural, shortened
from trml.sources.formats.csv_rows import columns_of
from trml.sources.formats.numbers import number
from trml.sources.formats.parquet import read_parquet
from trml.sources.formats.texts import utf8_of

Kind = Literal["text", "number", "either"]

LARGEST = 1e30  # of a label or prediction, from 0: a correlation multiplies four of them, and must stay finite

_TEXTS = (pl.String, pl.Categorical, pl.Enum)


def read_columns(path: Path, kinds: Mapping[str, Kind], needed: Sequence[str]) -> pl.DataFrame:
    """Read the columns of a table of predictions.

    Args:
        path: A .csv or .parquet file.
        kinds: What each column holds, text or 64-bit numbers; `either` is numbers where all cells are such.
        needed: The columns that must be there.

    Returns:
        The columns that are there, blank cells as null, and `place`: where each row stands, as `line 2` or `row 1`.

    Raises:
        ContractError: If it cannot be read, lacks a column or has others, or a cell is no number where that is asked
            for; the message names it.
    """
    read, places = _read(path)
    lacking = [name for name in needed if name not in read.columns]
    strange = [name for name in read.columns if name not in kinds]
    if lacking or strange:
        unknown = few([f"{shortened(name)}{nearest(name, kinds)}" for name in strange[:5]] + strange[5:], 5)
        words = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has unknown {unknown}"] * bool(strange)
        optional = [name for name in kinds if name not in needed]
        raise ContractError(
            f"{path.name} {' and '.join(words)}; expected the columns {', '.join(needed)}, and optionally "
            f"{', '.join(optional)}"
        )
    columns = [_typed(path, read[name], kinds[name], places) for name in read.columns]
    return pl.DataFrame([*columns, pl.Series("place", places, pl.String)])


def _read(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return a table with empty cells as null, and where each row stands: a cell of a csv may have several lines."""
    if path.suffix.lower() == ".parquet":
        read = read_parquet(path)
        return read, [f"row {row}" for row in range(1, read.height + 1)]
    columns, lines = columns_of(path, utf8_of(path), ",")
    cells = {name: [cell or None for cell in column] for name, column in columns.items()}
    return pl.DataFrame(cells, dict.fromkeys(cells, pl.String)), [f"line {line}" for line in lines]


def more(count: int) -> str:
    """Return how many rows there are beside the first one that is shown, for the end of a fault."""
    return f" ({count - 1:,} more {plural('row', count - 1)} like it)" if count > 1 else ""


def first_of(rows: pl.DataFrame, columns: Sequence[str]) -> str:
    """Return what the first of some rows has in some columns, in words; empty cells are left out."""
    row = rows.row(0, named=True)
    return ", ".join(f"{name} {shortened(row[name])}" for name in columns if row[name] not in (None, ""))


def _typed(path: Path, column: pl.Series, kind: Kind, places: Sequence[str]) -> pl.Series:
    is_number = column.dtype.is_numeric()
    if column.null_count() == len(column):
        return column.cast(pl.Float64 if kind == "number" else pl.String)
    if not is_number and column.dtype not in _TEXTS:
        wanted = {"text": "text", "number": "numbers", "either": "numbers or text"}[kind]
        raise ContractError(f"{path.name}, column {column.name} holds {shortened(column.dtype)}; expected {wanted}")
    if is_number and kind != "text":
        return column.cast(pl.Float64)
    texts = column.cast(pl.String).str.strip_chars()
    texts = texts.set(texts == "", None)
    return texts if kind == "text" else _numbers(path, texts, kind, places)


def _numbers(path: Path, texts: pl.Series, kind: Kind, places: Sequence[str]) -> pl.Series:
    different = texts.drop_nulls().unique(maintain_order=True)
    values = [number(text) for text in different]
    wrong = [text for text, value in zip(different, values, strict=True) if value is None]
    if kind == "either" and (len(wrong) == len(different) or not len(different)):
        return texts
    if wrong:
        place = places[int((texts == wrong[0]).arg_max() or 0)]
        expected = "a finite number" + (", as in other rows, or words in all of them" if kind == "either" else "")
        raise ContractError(f"{path.name}, {place}: {texts.name} is {shortened(wrong[0])}; expected {expected}")
    return texts.replace_strict(different, values, return_dtype=pl.Float64)
