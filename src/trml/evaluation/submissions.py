"""Predictions of somebody else's code: read, checked against the protocol, and scored like any method's.

A submission is a folder with card.yaml (config.Card) and predictions.parquet or predictions.csv, a row a prediction:

    utterance_id  of the test split
    present       what it was made from, as `text+vision` or `text`; a row for every set of modalities it can be given
    prediction    the score, or the number of the class
    seed          of the training, those of the experiment; without the column all seeds share the predictions
    trained       what was missing in training, `complete` or `vision@0.5`; without the column one training stands for
                  every condition

Which utterances lack what at a missing rate is the experiment's to say, so it is not in the table: predictions under a
condition are put together from those for each set of modalities.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.base.errors import ContractError
from trml.base.nearest import nearest
from trml.evaluation.config import CARD, Card, read_card
from trml.evaluation.metrics.common.metric import Array
from trml.missing.conditions import Condition
from trml.sources.formats.parquet import read_parquet

FILES = ("predictions.parquet", "predictions.csv")
_COLUMNS = {"utterance_id": pl.String, "present": pl.String, "prediction": pl.Float64}
_OPTIONAL = {"seed": pl.Int64, "trained": pl.String, "split": pl.String}


@dataclass(frozen=True)
class Protocol:
    """What submitted predictions must fit (predictions/protocol.json of the results).

    Attributes:
        corpus: The corpus's name.
        task: `regression` or `classification`.
        classes: Their names, none for a regression.
        seeds: Of the trainings.
        present: The sets of modalities that scores need predictions from.
        trained: What is missing in trainings, `complete` among them.
        per_unit: Steps of a prediction in a unit of the label.
    """

    corpus: str
    task: str
    classes: Sequence[str]
    seeds: Sequence[int]
    present: Sequence[str]
    trained: Sequence[str]
    per_unit: float


@dataclass(frozen=True)
class Submission:
    """Submitted predictions.

    by_trained: what was missing in training, empty for whatever -> present -> predictions [seeds, N].
    """

    card: Card
    by_trained: Mapping[str, Mapping[str, Array]]

    def trained_as(self, condition: Condition) -> Mapping[str, Array]:
        """Return the predictions [seeds, N] by what was present, of the training that a condition asks for."""
        return self.by_trained.get(trained_name(condition), self.by_trained.get("", {}))


def trained_name(condition: Condition) -> str:
    """Return what a condition has missing in training, as a word."""
    return "complete" if condition.trained == 0 else f"{condition.victim}@{condition.trained:g}"


def read_submission(folder: Path, protocol: Protocol, ids: Sequence[str]) -> Submission:
    """Read a submission and check it.

    Args:
        folder: With card.yaml and the predictions.
        protocol: What they must fit.
        ids: The test utterances, in the order of the predictions that are returned.

    Raises:
        ContractError: If something does not fit; it names every kind of fault, and the first row of each.
    """
    card, (path, table) = read_card(folder / CARD), _table(folder)
    faults = list(_faults(table, protocol, ids))
    if faults:
        raise ContractError("\n".join(f"{path.name}, {fault}" for fault in faults))
    by_trained: dict[str, dict[str, Array]] = {}
    order = pl.DataFrame({"utterance_id": ids})
    for (trained, present), part in table.group_by("trained", "present", maintain_order=True):
        of_seeds = [
            order.join(part.filter(pl.col("seed").is_null() | (pl.col("seed") == seed)), on="utterance_id", how="left")
            for seed in protocol.seeds
        ]
        predictions = np.stack([each["prediction"].to_numpy() for each in of_seeds])
        steps = np.rint(predictions * protocol.per_unit) / protocol.per_unit
        by_trained.setdefault(str(trained), {})[str(present)] = steps
    return Submission(card, by_trained)


def predictions_file(folder: Path) -> Path:
    """Return the file of predictions of a submission. Raises ContractError if there is none."""
    path = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if path is None:
        raise ContractError(f"{folder} has no predictions; expected {' or '.join(FILES)}")
    return path


def _table(folder: Path) -> tuple[Path, pl.DataFrame]:
    """Return the file of predictions and its rows, with all columns."""
    path = predictions_file(folder)
    try:
        read = read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ContractError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    known = _COLUMNS | _OPTIONAL
    lacking = [name for name in _COLUMNS if name not in read.columns]
    unknown = [f"{name!r}{nearest(name, known)}" for name in read.columns if name not in known]
    if lacking or unknown:
        words = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"has unknown {', '.join(unknown)}"] * bool(unknown)
        raise ContractError(f"{path.name} {' and '.join(words)}; expected the columns {', '.join(_COLUMNS)}")
    absent = {"seed": pl.lit(None, pl.Int64), "trained": pl.lit(""), "split": pl.lit("test")}
    filled = read.with_columns(**{name: value for name, value in absent.items() if name not in read.columns})
    try:
        return path, filled.select(pl.col(name).cast(kind) for name, kind in known.items())
    except pl.exceptions.PolarsError as error:
        raise ContractError(f"{path.name}: {' '.join(str(error).split())[:200]}") from None


def _faults(table: pl.DataFrame, protocol: Protocol, ids: Sequence[str]) -> Iterator[str]:
    """Yield each kind of fault in words, with its first row."""
    if table.is_empty():
        yield "it has no rows"
        return
    numbered, of_test = table.with_row_index("row"), f"the test split of {protocol.corpus}"
    checks: list[tuple[str, pl.Expr, str]] = [
        ("utterance_id", pl.col("utterance_id").is_in(ids), f"in {of_test}; expected {ids[0]} to {ids[-1]}"),
        ("split", pl.col("split") == "test", "test"),
        ("present", pl.col("present").is_in(protocol.present), f"known; expected {', '.join(protocol.present)}"),
        ("prediction", pl.col("prediction").is_finite(), "a finite number"),
    ]
    if table["trained"].max() != "":
        words = f"known; expected {', '.join(protocol.trained)}"
        checks.append(("trained", pl.col("trained").is_in(protocol.trained), words))
    if table["seed"].null_count() < table.height:
        words = f"of the experiment; expected {', '.join(map(str, protocol.seeds))}"
        checks.append(("seed", pl.col("seed").is_in(protocol.seeds), words))
    if protocol.classes:
        numbers = f"the number of a class; expected 0 to {len(protocol.classes) - 1}"
        checks.append(("prediction", pl.col("prediction").is_in(range(len(protocol.classes))), numbers))
    for column, holds, expected in checks:
        wrong = numbered.filter(~holds.fill_null(False))
        if wrong.height:
            yield f"row {wrong['row'][0]}: {column} {wrong[column][0]!r} is not {expected}{_more(wrong.height)}"
    key = ["trained", "present", "seed", "utterance_id"]
    twice = numbered.filter(~pl.struct(key).is_first_distinct())
    if twice.height:
        yield f"row {twice['row'][0]}: {_said(twice, key)} is there twice{_more(twice.height)}"
    yield from _incomplete(table, protocol, ids)


def _incomplete(table: pl.DataFrame, protocol: Protocol, ids: Sequence[str]) -> Iterator[str]:
    """Yield what has predictions of some test utterances or seeds alone."""
    groups = table.unique(["trained", "present", "seed", "utterance_id"])
    counts = groups.group_by("trained", "present", "seed", maintain_order=True).len()
    few = counts.filter(pl.col("len") != len(ids))
    if few.height:
        about = _said(few, ["trained", "present", "seed"])
        yield f"{about}: {few['len'][0]} utterances; expected all {len(ids)}{_more(few.height)}"
    seeds = counts.group_by("trained", "present", maintain_order=True).agg(pl.col("seed"))
    for row in seeds.iter_rows(named=True):
        if row["seed"] != [None] and set(row["seed"]) != set(protocol.seeds):
            about = _said(pl.DataFrame([row]), ["trained", "present"])
            yield f"{about}: seeds {row['seed']}; expected {list(protocol.seeds)}, or no column seed"
            return


def _said(rows: pl.DataFrame, columns: Sequence[str]) -> str:
    """Return the first of some rows in words."""
    row: dict[str, Any] = rows.row(0, named=True)
    return ", ".join(f"{name} {row[name]}" for name in columns if row[name] not in (None, ""))


def _more(count: int) -> str:
    return f" ({count - 1} more rows like it)" if count > 1 else ""
