"""What every method costs: parameters, and operations of a prediction."""

from typing import Any

import polars as pl

from trml.evaluation.contract import ProbeInputs
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import COST
from trml.features.contract import FeatureSet
from trml.training.again import operations
from trml.training.contract import Cell
from trml.training.store import read_cell


def cost(inputs: ProbeInputs, evaluation: Evaluation, features: FeatureSet) -> pl.DataFrame:
    """Return the rows of cost.parquet: each method with a training at the study's rate that did not fail."""
    first: dict[str, tuple[Cell, dict[str, Any]]] = {}
    for cell in evaluation.inputs.probed_cells().values():
        record, _ = read_cell(cell)
        if not record["failed"]:
            first.setdefault(cell.spec.method, (cell, record))
    rows = [
        {
            "method": method,
            "parameters": first[method][1]["parameters"],
            "operations": operations(first[method][0], features, inputs.settings),
        }
        for method in evaluation.study.by_name
        if method in first
    ]
    return pl.DataFrame(rows, schema=COST)
