"""Read csv files from outside: text alone, within the budget. Polars would unpack a compressed one, of any size."""

import codecs
import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.base.printable import one_line
from trml.sources.formats.limits import CELLS, ROWS, TEXT


def csv_text(path: Path) -> str:
    """Return the text of a csv file, without a byte order mark.

    Raises:
        ContractError: If it is no file, or not UTF-8 text; the message has the line.
    """
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a table")
    if (size := path.stat().st_size) > TEXT:
        raise ContractError(f"{path} has {size / 1e6:,.0f} MB; expected at most {TEXT / 1e6:,.0f} MB of text")
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise ContractError(f"{path} is UTF-32; expected UTF-8: iconv -f UTF-32 -t UTF-8")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ContractError(f"{path} is UTF-16; expected UTF-8: iconv -f UTF-16 -t UTF-8")
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise ContractError(f"{path} line {line}: it holds a NUL byte; expected text. It is damaged, or not a .csv")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # With a byte order mark, the decoder counts from behind it.
        at = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        line = content[:at].count(b"\n") + 1
        raise ContractError(
            f"{path} line {line}: byte 0x{content[at]:02x} is not UTF-8. Save it as UTF-8, for example "
            "from Windows-1252: iconv -f CP1252 -t UTF-8"
        ) from None


def table_text(path: Path) -> str:
    """Return the text of a csv file whose table is within the budget.

    Raises:
        ContractError: As `csv_text`, or if it has more lines or cells than the budget takes.
    """
    text = csv_text(path)
    rows, columns = text.count("\n"), len(next(csv.reader(io.StringIO(text, newline="")), []))
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
    return _parsed(path, infer_schema_length=None, schema_overrides=dict(types or {}))


def read_texts(path: Path) -> pl.DataFrame:
    """Return the table in a csv file with every cell as text. Raises ContractError as `read_csv` does."""
    return _parsed(path, infer_schema=False)


def _parsed(path: Path, **options: Any) -> pl.DataFrame:
    text = io.StringIO(table_text(path))
    try:
        return pl.read_csv(text, **options)
    except pl.exceptions.PolarsError as error:
        reason = one_line((str(error).strip().splitlines() or ["it is empty"])[0])
        raise ContractError(f"{path} cannot be read as a table: {reason}") from None
