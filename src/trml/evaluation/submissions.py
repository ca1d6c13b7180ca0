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

import numpy as np
import polars as pl

from trml.base.errors import ContractError
from trml.base.files import not_a_file
from trml.base.printable import shortened
from trml.evaluation.config import CARD, Card, read_card
from trml.evaluation.foreign_table import LARGEST, Kind, first_of, more, read_columns
from trml.evaluation.metrics.common.metric import Array
from trml.missing.conditions import Condition

FILES = ("predictions.parquet", "predictions.csv")
_NEEDED = ("utterance_id", "present", "prediction")
_KINDS: Mapping[str, Kind] = {
    "utterance_id": "text", "present": "text", "prediction": "number", "seed": "number", "trained": "text",
    "split": "text",
}  # fmt: skip


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
    for path in (folder / name for name in FILES):
        kind = not_a_file(path)
        if kind is None:
            return path
        if kind != "is missing":
            raise ContractError(f"{path} {kind}; expected a table")
    raise ContractError(f"{folder} has no predictions; expected {' or '.join(FILES)}")


def _table(folder: Path) -> tuple[Path, pl.DataFrame]:
    """Return the file of predictions and its rows, with all columns."""
    path = predictions_file(folder)
    read = read_columns(path, _KINDS, _NEEDED)
    absent = {"seed": pl.lit(None, pl.Float64), "trained": pl.lit(""), "split": pl.lit("test")}
    table = read.with_columns(**{name: value for name, value in absent.items() if name not in read.columns})
    if table.filter(pl.col("seed").floor() != pl.col("seed")).height:
        raise ContractError(f"{path.name}: seeds are not whole numbers")
    return path, table.with_columns(pl.col("seed").cast(pl.Int64), pl.col("trained", "split").fill_null(""))


def _faults(table: pl.DataFrame, protocol: Protocol, ids: Sequence[str]) -> Iterator[str]:
    """Yield each kind of fault in words, with its first row."""
    if table.is_empty():
        yield "it has no rows"
        return
    of_test = f"the test split of {protocol.corpus}"
    is_number = (pl.col("prediction").abs() <= LARGEST) & (pl.col("prediction") * protocol.per_unit).is_finite()
    checks: list[tuple[str, pl.Expr, str]] = [
        ("utterance_id", pl.col("utterance_id").is_in(ids), f"in {of_test}; expected {ids[0]} to {ids[-1]}"),
        ("split", pl.col("split") == "test", "test"),
        ("present", pl.col("present").is_in(protocol.present), f"known; expected {', '.join(protocol.present)}"),
        ("prediction", is_number, f"a finite number, at most {LARGEST:g} from 0"),
    ]
    if table["trained"].max() != "":
        words = f"known; expected {', '.join(protocol.trained)}"
        checks.append(("trained", pl.col("trained").is_in(protocol.trained), words))
    if table["seed"].null_count() < table.height:
        words = f"of the experiment; expected {', '.join(map(str, protocol.seeds))}"
        checks.append(("seed", pl.col("seed").is_in(list(protocol.seeds)), words))
    if protocol.classes:
        numbers = f"the number of a class; expected 0 to {len(protocol.classes) - 1}"
        checks.append(
            ("prediction", pl.col("prediction").is_in([float(i) for i in range(len(protocol.classes))]), numbers)
        )
    for column, holds, expected in checks:
        wrong = table.filter(~holds.fill_null(False))
        if wrong.height:
            found = "" if wrong[column][0] is None else f" {shortened(wrong[column][0])}"
            yield f"{wrong['place'][0]}: {column}{found} is not {expected}{more(wrong.height)}"
    key = ["trained", "present", "seed", "utterance_id"]
    twice = table.filter(~pl.struct(key).is_first_distinct())
    if twice.height:
        yield f"{twice['place'][0]}: {first_of(twice, key)} is there twice{more(twice.height)}"
    yield from _incomplete(table, protocol, ids)


def _incomplete(table: pl.DataFrame, protocol: Protocol, ids: Sequence[str]) -> Iterator[str]:
    """Yield what has predictions of some test utterances or seeds alone."""
    groups = table.unique(["trained", "present", "seed", "utterance_id"])
    counts = groups.group_by("trained", "present", "seed", maintain_order=True).len()
    few = counts.filter(pl.col("len") != len(ids))
    if few.height:
        about = first_of(few, ["trained", "present", "seed"])
        yield f"{about}: {few['len'][0]} utterances; expected all {len(ids)}{more(few.height)}"
    seeds = counts.group_by("trained", "present", maintain_order=True).agg(pl.col("seed"))
    for row in seeds.iter_rows(named=True):
        if row["seed"] != [None] and set(row["seed"]) != set(protocol.seeds):
            about = first_of(pl.DataFrame([row]), ["trained", "present"])
            yield f"{about}: seeds {shortened(row['seed'])}; expected {list(protocol.seeds)}, or no column seed"
            return
