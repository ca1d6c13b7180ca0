"""What every method costs: parameters, operations, epochs and time."""

from collections import defaultdict
from typing import Any

import polars as pl

from trml.evaluation.contract import ProbeInputs
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import COST
from trml.features.contract import FeatureSet
from trml.training.again import operations
from trml.training.contract import Cell, read_cell


def cost(inputs: ProbeInputs, evaluation: Evaluation, features: FeatureSet) -> pl.DataFrame:
    """Return the rows of cost.parquet: each method with a training at the study's rate that did not fail."""
    by_method: dict[str, list[tuple[Cell, dict[str, Any]]]] = defaultdict(list)
    for cell in {cell.digest: cell for cell in evaluation.inputs.probed_cells().values()}.values():
        record, _ = read_cell(cell)
        if not record["failed"]:
            by_method[cell.spec.method].append((cell, record))
    rows = []
    for method in evaluation.study.by_name:
        done = by_method.get(method, [])
        if done:
            rows.append(
                {
                    "method": method,
                    "parameters": done[0][1]["parameters"],
                    "operations": operations(done[0][0], features, inputs.settings),
                    "epochs": sum(record["epochs_run"] for _, record in done) / len(done),
                    "seconds": sum(record["wall_s"] for _, record in done) / len(done),
                }
            )
    return pl.DataFrame(rows, schema=COST)
