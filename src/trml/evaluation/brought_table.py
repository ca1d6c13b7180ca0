"""Predictions of anybody's model, in one table: read and checked, each fault named by its line.

The table has a row a prediction:

    utterance_id  of the test data
    label         a number, or the name of a class; the same in every row of an utterance
    prediction    likewise
    condition     what was missing at evaluation: `complete`, or `vision@0.5`
    method        optional: whose prediction it is; without the column they are all one's
    seed          optional: of the training; intervals need three or more
    group         optional: video, speaker or dialogue; without the column each utterance is a group of its own

Every method, condition and seed predicts the same utterances.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from trml.base.errors import ContractError, DataMissing
from trml.base.files import not_a_file
from trml.base.nearest import nearest
from trml.base.printable import few, shortened
from trml.sources.formats.csv_text import read_csv
from trml.sources.formats.parquet import read_parquet

_COLUMNS = ("utterance_id", "label", "prediction", "condition")
_OPTIONAL = {"method": "model", "seed": 0, "group": None}
_CONDITION = r"^(complete|\w+@(0\.\d*[1-9]\d*|1(\.0+)?))$"
_NAMED = 5  # unknown columns in a message
_KEY = ["method", "condition", "seed", "utterance_id"]


def read_predictions(path: Path) -> pl.DataFrame:
    """Return the rows of a table of predictions, with all columns.

    Args:
        path: A .csv or .parquet file.

    Raises:
        DataMissing: If there is no such file.
        ContractError: If the table is at fault; it names the first row of each kind of fault.
    """
    if (kind := not_a_file(path)) is not None:
        error = DataMissing if kind == "is missing" else ContractError
        raise error(f"{path} {kind}; expected a table with the columns {', '.join(_COLUMNS)}")
    read = read_parquet(path) if path.suffix == ".parquet" else read_csv(path, {"utterance_id": pl.String})
    lacking = [name for name in _COLUMNS if name not in read.columns]
    known = [*_COLUMNS, *_OPTIONAL]
    strange = [name for name in read.columns if name not in known]
    if lacking or strange:
        named = [f"{shortened(name)}{nearest(name, known)}" for name in strange[:_NAMED]]
        unknown = few([*named, *strange[_NAMED:]], _NAMED)
        words = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has unknown {unknown}"] * bool(strange)
        raise ContractError(f"{path.name} {' and '.join(words)}; expected the columns {', '.join(known)}")
    absent = {
        name: pl.col("utterance_id") if default is None else pl.lit(default)
        for name, default in _OPTIONAL.items()
        if name not in read.columns
    }
    rows = read.with_columns(**absent).with_columns(pl.col("utterance_id", "condition", "method").cast(pl.String))
    faults = list(_faults(rows))
    if faults:
        raise ContractError("\n".join(f"{path.name}, {fault}" for fault in faults))
    return rows


def _faults(rows: pl.DataFrame) -> Iterator[str]:
    """Yield each kind of fault in words, with the line of its first row."""
    if rows.is_empty():
        yield "it has no rows"
        return
    numbered = rows.with_row_index("line", 2)
    is_number = rows["label"].dtype.is_numeric()
    value = pl.col("prediction").cast(pl.Float64, strict=False)
    named = {name: pl.col(name).cast(pl.String).str.strip_chars() != "" for name in ("utterance_id", "method", "group")}
    checks = [
        *((name, holds, "a name") for name, holds in named.items()),
        ("condition", pl.col("condition").str.contains(_CONDITION), "complete or vision@0.5"),
        ("seed", _is_whole(rows["seed"].dtype), "a whole number"),
        ("label", pl.col("label").is_finite() if is_number else pl.col("label").is_not_null(), "a label"),
        (
            "prediction",
            value.is_finite() if is_number else pl.col("prediction").is_not_null(),
            "a finite number" if is_number else "a class",
        ),
    ]
    for column, holds, expected in checks:
        wrong = numbered.filter(~holds.fill_null(False))
        if wrong.height:
            yield f"line {wrong['line'][0]}: {column} is {wrong[column][0]!r}; expected {expected}{_more(wrong.height)}"
    twice = numbered.filter(~pl.struct(_KEY).is_first_distinct())
    if twice.height:
        yield f"line {twice['line'][0]}: {_said(twice)} is there twice{_more(twice.height)}"
    for column in ("label", "group"):
        several = numbered.filter(pl.col(column).n_unique().over("utterance_id") > 1)
        if several.height:
            yield f"line {several['line'][0]}: utterance {several['utterance_id'][0]!r} has several {column}s"
    every = numbered["utterance_id"].n_unique()
    few = numbered.group_by("method", "condition", "seed", maintain_order=True).len().filter(pl.col("len") < every)
    if few.height and not twice.height:
        about = ", ".join(f"{name} {few[name][0]}" for name in ("method", "condition", "seed"))
        yield f"{about}: {few['len'][0]} utterances; expected all {every}{_more(few.height)}"
    seeds = numbered.group_by("method", "condition", maintain_order=True).agg(pl.col("seed").n_unique())
    wanted = numbered["seed"].n_unique()
    other = seeds.filter(pl.col("seed") != wanted)
    if other.height:
        about = f"method {other['method'][0]}, condition {other['condition'][0]}"
        yield f"{about}: {other['seed'][0]} seeds; expected all {wanted}{_more(other.height)}"


def _is_whole(dtype: pl.DataType) -> pl.Expr:
    return pl.col("seed").is_not_null() if dtype.is_integer() else pl.lit(False)


def _said(rows: pl.DataFrame) -> str:
    row = rows.row(0, named=True)
    return ", ".join(f"{name} {row[name]}" for name in _KEY)


def _more(count: int) -> str:
    return f" ({count - 1} more rows like it)" if count > 1 else ""
