"""Read the table of CMU-MOSI's utterances that belongs to its features."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl

from trml.base.errors import ContractError
from trml.base.printable import few, shortened
from trml.sources.formats.csv_rows import rows_of
from trml.sources.formats.csv_text import table_text
from trml.sources.formats.numbers import number, seconds

_COLUMNS = ("utt_id", "video_id", "text", "start_s", "end_s", "sentiment", "bclstm_split")

_PARTS = ("train", "test")

_T = TypeVar("_T")


def read_utterances(path: Path) -> tuple[pl.DataFrame, list[int]]:
    """Return the table, times and sentiments as f64, and the line of each row.

    Raises:
        ContractError: If it is not a table, lacks a column, or has a cell that is not as expected; it names the line.
    """
    columns, lines = _cells(path)

    def each(name: str, read: Callable[[str], _T | None], expected: str) -> list[_T]:
        values: list[_T] = []
        for line, cell in zip(lines, columns[name], strict=True):
            if (value := read(cell)) is None:
                raise ContractError(f"{path} line {line}: {name} is {shortened(cell)}; expected {expected}")
            values.append(value)
        return values

    for name in ("utt_id", "video_id"):
        each(name, lambda cell: cell.strip() or None, "a name")
    each("bclstm_split", lambda cell: cell if cell in _PARTS else None, " or ".join(_PARTS))
    starts, ends = (each(name, seconds, "seconds, 0 and more") for name in ("start_s", "end_s"))
    sentiments = each("sentiment", _sentiment, "a number from -3 to 3")
    for line, start, end in zip(lines, starts, ends, strict=True):
        if end < start:
            raise ContractError(f"{path} line {line}: end_s is {end:g}, before start_s, {start:g}")
    if len(set(sentiments)) == 1:
        raise ContractError(f"{path}: every label is {sentiments[0]:g}; expected two different ones or more")
    numbers = {"start_s": starts, "end_s": ends, "sentiment": sentiments}
    frame = pl.DataFrame({name: columns[name] for name in _COLUMNS}, dict.fromkeys(_COLUMNS, pl.String))
    return frame.with_columns(pl.Series(name, values, pl.Float64) for name, values in numbers.items()), lines


def _cells(path: Path) -> tuple[dict[str, list[str]], list[int]]:
    """Return the cells of each column, as they are, and the line on which each row begins."""
    rows, lines = rows_of(path, table_text(path), ",")
    if not rows or lines[0] > 1:
        raise ContractError(f"{path} is empty; expected a line of column names and a line for each utterance")
    header, *rows = rows
    if absent := [name for name in _COLUMNS if name not in header]:
        raise ContractError(f"{path} line 1: it has no column {few(absent)}; found {few(header)}")
    for line, row in zip(lines[1:], rows, strict=True):
        if len(row) != len(header):
            raise ContractError(f"{path} line {line}: {len(row)} cells; expected {len(header)}, as in the header")
    if not rows:
        raise ContractError(f"{path} has no rows; expected one for each utterance")
    return {name: [row[header.index(name)] for row in rows] for name in _COLUMNS}, lines[1:]


def _sentiment(cell: str) -> float | None:
    value = number(cell)
    return value if value is not None and -3 <= value <= 3 else None
