"""Read parquet files from outside: the file that was named and no other, within the budget."""

from pathlib import Path

import polars as pl

from trml.base.confined import memory_for, try_first
from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.sources.formats.limits import CELLS, ROWS


def read_parquet(path: Path) -> pl.DataFrame:
    """Return the table in a parquet file.

    Raises:
        ContractError: If it is no file, no parquet, or more than the budget takes.
    """
    if (kind := not_a_file(path)) is not None:
        raise ContractError(f"{path} {kind}; expected a parquet file")
    try_first(path, __name__)
    return attempt(path)


def attempt(path: Path) -> pl.DataFrame:
    """Read a file, which another process has tried; a few bytes may stand for millions of equal rows."""
    try:
        lazy = pl.scan_parquet(path, glob=False)  # or [1] and * in its name would mean other files
        columns = len(lazy.collect_schema())
        rows = lazy.select(pl.len()).collect().item()
        if rows > ROWS or rows * columns > CELLS:
            raise ContractError(
                f"{path} states {rows:,} rows of {columns:,} columns; expected at most {ROWS:,} rows, {CELLS:,} cells"
            )
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise ContractError(f"{path} cannot be read as parquet: {reason}") from None
    texts = [column for column in frame if column.dtype in (pl.String, pl.Categorical, pl.Enum)]
    size = sum(int(column.cast(pl.String).str.len_bytes().sum()) for column in texts)
    size += sum(int(column.bin.size().sum()) for column in frame if column.dtype == pl.Binary)
    if size > memory_for(path):
        raise ContractError(
            f"{path} has {size >> 20} MB of text, from {path.stat().st_size >> 20} MB; expected at most "
            f"{memory_for(path) >> 20} MB"
        )
    return frame
