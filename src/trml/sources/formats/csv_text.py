"""Read csv files from outside: text alone, within the budget. Polars would unpack a compressed one, of any size."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.errors import ContractError
from trml.base.printable import one_line
from trml.sources.formats.csv_rows import header_of
from trml.sources.formats.limits import CELLS, ROWS
from trml.sources.formats.texts import utf8_of


def table_text(path: Path) -> str:
    """Return the text of a csv file whose table is within the budget.

    Raises:
        ContractError: As `utf8_of` and `header_of`, or if it has more lines or cells than the budget takes.
    """
    text = utf8_of(path)
    rows, columns = text.count("\n"), len(header_of(path, text, ","))
    if rows > ROWS or rows * columns > CELLS:
        raise ContractError(
            f"{path} has {rows:,} lines of {columns:,} columns; expected at most {ROWS:,} lines, {CELLS:,} cells"
        )
    return text


def read_csv(path: Path, types: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Return the table in a csv file, whose first line names the columns.

    Args:
        path: The file.
        types: Of columns that may look otherwise; others have the type that fits all of their cells.

    Raises:
        ContractError: As `table_text`, or if it is no table.
    """
    text = io.StringIO(table_text(path))
    try:
        return pl.read_csv(text, infer_schema_length=None, schema_overrides=dict(types or {}))
    except pl.exceptions.PolarsError as error:
        reason = one_line((str(error).strip().splitlines() or ["it is empty"])[0])
        raise ContractError(f"{path} cannot be read as a table: {reason}") from None
