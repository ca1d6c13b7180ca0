"""What scores are computed from, small enough to publish: predictions, who lacks what under a condition, and labels.

    cells.parquet       cell, present, utterance_id, steps: the predictions of every cell that are scored, in whole
                        steps of 1 / per_unit; none of a training that failed
    conditions.parquet  condition, seed, utterance_id, present: what a condition leaves of each test utterance
    test.parquet        utterance_id, group, label
    protocol.json       submissions.Protocol

With metrics.csv, which says which cell is which training, anyone can compute every score again (docs/recompute.py).
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import write_json
from trml.evaluation.contract import LABELLED
from trml.evaluation.predictions import Evaluation
from trml.missing.conditions import Condition


def write_published(evaluation: Evaluation, folder: Path) -> None:
    """Write the four files into `folder`."""
    folder.mkdir()
    _cells(evaluation).write_parquet(folder / "cells.parquet", compression_level=15)
    _conditions(evaluation).write_parquet(folder / "conditions.parquet", compression_level=15)
    test = pl.DataFrame({"utterance_id": evaluation.ids, "group": evaluation.group_names, "label": evaluation.label})
    test.write_parquet(folder / LABELLED)
    write_json(folder / "protocol.json", asdict(evaluation.protocol))


def _scored(evaluation: Evaluation) -> dict[str, Condition]:
    """Return every condition that some cell is scored under, by name."""
    every = (c for cell in evaluation.inputs.distinct_cells() for c in evaluation.conditions_of(cell))
    return {condition.name: condition for condition in every}


def _cells(evaluation: Evaluation) -> pl.DataFrame:
    names, words, steps = list[str](), list[str](), list[NDArray[np.int64]]()
    for name, present, predicted in _predictions(evaluation):
        names.append(name)
        words.append(present)
        steps.append(evaluation.in_steps(predicted).astype(np.int64))
    n, ids = len(evaluation.ids), pl.Series(evaluation.ids, dtype=pl.Enum(evaluation.ids))
    columns = {
        "cell": _repeated(names, n),
        "present": _repeated(words, n),
        "utterance_id": ids.gather(np.tile(np.arange(n), len(names))),
        "steps": pl.Series(np.concatenate([*steps, np.zeros(0, np.int64)])).shrink_dtype(),
    }
    return pl.DataFrame(columns)


def _predictions(evaluation: Evaluation) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Yield the predictions that are scored: cell, present, [N]."""
    for cell in evaluation.inputs.distinct_cells():
        parts = [evaluation.left_by(condition, cell.spec.seed) for condition in evaluation.conditions_of(cell)]
        for present in dict.fromkeys(word for part in parts for word, _ in part):
            predicted = evaluation.predicted_with(cell, present)
            if not np.isnan(predicted).any():
                yield cell.digest, present, predicted


def _conditions(evaluation: Evaluation) -> pl.DataFrame:
    parts = []
    for name, condition in _scored(evaluation).items():
        for seed in evaluation.seeds:
            present = np.full(len(evaluation.ids), "", dtype=object)
            for word, here in evaluation.left_by(condition, seed):
                present[here] = word
            table = pl.DataFrame({"utterance_id": evaluation.ids, "present": pl.Series(present, dtype=pl.String)})
            parts.append(table.select(pl.lit(name).alias("condition"), pl.lit(seed).alias("seed"), pl.all()))
    return pl.concat(parts)


def _repeated(names: list[str], times: int) -> pl.Series:
    """Return each name so many times."""
    return pl.Series(names, dtype=pl.Enum(list(dict.fromkeys(names)))).gather(np.repeat(np.arange(len(names)), times))
