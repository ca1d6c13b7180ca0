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

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import polars as pl

from trml.base.confined import memory_for
from trml.base.errors import ContractError, DataMissing
from trml.base.files import not_a_file
from trml.base.printable import shortened
from trml.evaluation.foreign_table import LARGEST, Kind, first_of, more, read_columns
from trml.sources.formats.limits import CLASSES

_NEEDED = ("utterance_id", "label", "prediction", "condition")
_KINDS: Mapping[str, Kind] = {
    "utterance_id": "text", "label": "either", "prediction": "either", "condition": "text",
    "method": "text", "seed": "number", "group": "text",
}  # fmt: skip
_ABSENT = {"method": pl.lit("model"), "seed": pl.lit(0.0), "group": pl.col("utterance_id")}
_CONDITION = r"^(complete|\w+@(0\.\d{0,20}[1-9]\d{0,20}|1(\.0+)?))$"  # with more zeros, a rate would be read as 0
_PAIRS = 100_000  # of two methods under a condition: half a minute, and a line each
_SPELLINGS = 20  # classes in another spelling that are named
_A_CLASS = 100  # bytes that scores take for a class, seed and group
_KEY = ("method", "condition", "seed", "utterance_id")


def read_predictions(path: Path) -> pl.DataFrame:
    """Return the rows of a table of predictions, with all columns.

    Args:
        path: A .csv or .parquet file.

    Returns:
        utterance_id, condition, method and group as text, conditions as `vision@0.5`; seed as a whole number; label and
        prediction both as numbers or both as text.

    Raises:
        DataMissing: If there is no such file.
        ContractError: If the table is at fault; it names the first row of each kind of fault.
    """
    if (kind := not_a_file(path)) is not None:
        error = DataMissing if kind == "is missing" else ContractError
        raise error(f"{path} {kind}; expected a table with the columns {', '.join(_NEEDED)}")
    read = read_columns(path, _KINDS, _NEEDED)
    rows = read.with_columns(**{name: value for name, value in _ABSENT.items() if name not in read.columns})
    for check in (_cells, _rows):
        if faults := list(check(rows)):
            raise ContractError("\n".join(f"{path.name}, {fault}" for fault in faults))
        spellings = {name: _canonical(name) for name in rows["condition"].unique()}
        rows = rows.with_columns(pl.col("condition").replace_strict(spellings), pl.col("seed").cast(pl.Int64))
    _require_room(path, rows)
    return rows.drop("place")


def _require_room(path: Path, rows: pl.DataFrame) -> None:
    """Raise ContractError if scores would take more than the budget: a small table may have thousands of everything."""
    methods, conditions, seeds, groups = (rows[name].n_unique() for name in ("method", "condition", "seed", "group"))
    if (pairs := conditions * methods * (methods - 1) // 2) > _PAIRS:
        raise ContractError(
            f"{path.name} has {methods:,} methods under {conditions:,} conditions: {pairs:,} pairs to compare; "
            f"expected at most {_PAIRS:,}"
        )
    if (taken := _A_CLASS * _classes(rows) * seeds * groups) > (most := memory_for(path)):
        raise ContractError(
            f"{path.name} has {_classes(rows):,} classes, {seeds:,} seeds and {groups:,} groups, whose scores take "
            f"{taken / 1e6:,.0f} MB of memory; expected at most {most / 1e6:,.0f} MB"
        )


def _classes(rows: pl.DataFrame) -> int:
    """Return how many classes there are, 0 where labels are numbers."""
    if rows["label"].dtype.is_numeric():
        return 0
    return len({*rows["label"].unique(), *rows["prediction"].cast(pl.String).unique()})


def _canonical(condition: str) -> str:
    """Return a condition with its rate in one spelling: 0.50 and 0.5 are one rate."""
    victim, at, rate = condition.rpartition("@")
    return f"{victim}@{float(rate):g}" if at else condition


def _cells(rows: pl.DataFrame) -> Iterator[str]:
    """Yield each kind of cell that is not what its column needs, in words, with its first place."""
    if rows.is_empty():
        yield "it has no rows"
        return
    label, prediction, seed = pl.col("label"), pl.col("prediction"), pl.col("seed")
    is_score = rows["label"].dtype.is_numeric()
    is_alike = is_score == rows["prediction"].dtype.is_numeric()
    number = prediction.abs() <= LARGEST if is_alike else pl.lit(False)
    a_score = f"a finite number, at most {LARGEST:g} from 0"
    checks = [
        *((name, pl.col(name).is_not_null(), "a name") for name in ("utterance_id", "method", "group")),
        ("condition", pl.col("condition").str.contains(_CONDITION), "complete or vision@0.5"),
        ("seed", (seed.floor() == seed) & (seed.abs() < 2**53), "a whole number"),
        ("label", label.abs() <= LARGEST if is_score else label.is_not_null(), a_score if is_score else "a label"),
        (
            "prediction",
            number if is_score else prediction.is_not_null() & pl.lit(is_alike),
            a_score if is_score else "a class",
        ),
    ]
    for column, holds, expected in checks:
        wrong = rows.filter(~holds.fill_null(False))
        if wrong.height:
            found = "empty" if wrong[column][0] is None else shortened(wrong[column][0])
            yield f"{wrong['place'][0]}: {column} is {found}; expected {expected}{more(wrong.height)}"
    if not is_score and is_alike and (classes := _classes(rows)) > CLASSES:
        yield f"label and prediction have {classes:,} different values; expected numbers, or at most {CLASSES} classes"
    elif not is_score and is_alike:
        yield from islice(_spellings(rows), _SPELLINGS)


def _spellings(rows: pl.DataFrame) -> Iterator[str]:
    """Yield a class that is predicted in another spelling than labels have it."""
    known = {str(name).casefold(): name for name in rows["label"].unique() if name is not None}
    for name in rows["prediction"].drop_nulls().unique(maintain_order=True):
        meant = known.get(str(name).casefold(), name)
        if meant != name:
            place = rows.filter(pl.col("prediction") == name)["place"][0]
            yield f"{place}: prediction is {shortened(name)}; labels say {shortened(meant)}"


def _rows(rows: pl.DataFrame) -> Iterator[str]:
    """Yield what is there twice, several times over, or not for every utterance and seed, with its first place."""
    twice = rows.filter(~pl.struct(_KEY).is_first_distinct())
    if twice.height:
        yield f"{twice['place'][0]}: {first_of(twice, _KEY)} is there twice{more(twice.height)}"
    for column in ("label", "group"):
        several = rows.filter(pl.col(column).n_unique().over("utterance_id") > 1)
        if several.height:
            yield f"{several['place'][0]}: utterance {shortened(several['utterance_id'][0])} has several {column}s"
    ids = rows["utterance_id"].unique(maintain_order=True)
    runs = ("method", "condition", "seed")
    groups = rows.group_by(runs, maintain_order=True).agg("utterance_id")
    short = groups.filter(pl.col("utterance_id").list.len() < len(ids))
    if short.height and not twice.height:
        there = set(short["utterance_id"][0])
        absent = shortened(next(name for name in ids if name not in there))
        count = f"{len(there)} utterances; expected all {len(ids)}, {absent} too"
        yield f"{first_of(short, runs)}: {count}{more(short.height)}"
    seeds = rows.group_by("method", "condition", maintain_order=True).agg(pl.col("seed").n_unique())
    wanted = rows["seed"].n_unique()
    other = seeds.filter(pl.col("seed") != wanted)
    if other.height:
        about = first_of(other, ("method", "condition"))
        yield f"{about}: {other['seed'][0]} seeds; expected all {wanted}{more(other.height)}"
