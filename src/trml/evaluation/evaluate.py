"""Score every cell and decide every claim: write the files that the report is made from."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.base.progress import track
from trml.evaluation.aggregates import aggregates
from trml.evaluation.axes import axes
from trml.evaluation.calibration import calibration
from trml.evaluation.contract import NOTHING, PUBLISHED, EvaluationInputs, MetricInfo
from trml.evaluation.decide import decide
from trml.evaluation.matrix import matrix
from trml.evaluation.predictions import Evaluation
from trml.evaluation.published import write_published
from trml.evaluation.redundancy import redundancy
from trml.evaluation.robustness import robustness
from trml.evaluation.schemas import METRICS
from trml.evaluation.summary import Summary
from trml.evaluation.terms import terms


def evaluate(inputs: EvaluationInputs, folder: Path) -> None:
    """Write the files that evaluation/contract.py lists into `folder`.

    Raises:
        StoreError: If a cell is absent or damaged.
    """
    evaluation = Evaluation(inputs)
    metrics = _metrics(evaluation)
    metrics.write_parquet(folder / "metrics.parquet")
    summary = Summary(evaluation)
    summary.rows.write_parquet(folder / "summary.parquet")
    summary.pairs.write_parquet(folder / "pairs.parquet")
    for rows, name in zip(aggregates(evaluation, summary.curves), ("aggregates", "improvement"), strict=True):
        rows.write_parquet(folder / f"{name}.parquet")
    robustness(inputs.study, summary.curves).write_parquet(folder / "robustness.parquet")
    calibration(evaluation).write_parquet(folder / "calibration.parquet")
    matrix(evaluation).write_parquet(folder / "matrix.parquet")
    for table, name in ((terms, "terms"), (axes, "axes"), (redundancy, "redundancy")):
        made = table(evaluation)
        if made is not None:
            made.write_parquet(folder / f"{name}.parquet")
    # Points of an axis and of the redundancy study are there for their rows in a table, and have no claims.
    claims = [] if inputs.study.purpose in ("axis", "redundancy") else decide(evaluation)
    _write(folder / "claims.json", [claim.to_json() for claim in claims])
    _write(folder / "metrics.json", metric_infos(evaluation))
    _write(folder / "cells.json", evaluation.records())
    if inputs.study.dataset is None:
        write_published(evaluation, folder / PUBLISHED)


def metric_infos(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return what metrics.json holds."""
    return [asdict(MetricInfo(m.name, m.label, m.higher_is_better, m.headline, m.drawn)) for m in evaluation.metrics]


def _metrics(evaluation: Evaluation) -> pl.DataFrame:
    """Return the rows of metrics.parquet: a cell stands under each name that trainings ask for it by.

    A sweep that passes through the default has rows at that value too.
    """
    named = {
        (training.variant, cell.digest): (training.variant, cell) for training, cell in evaluation.inputs.cells.items()
    }
    rows = []
    for variant, cell in track(named.values(), len(named), "cells scored"):
        spec = cell.spec
        about = {
            "method": spec.method,
            "variant": variant,
            "train_victim": spec.missing or NOTHING,
            "train_rate": spec.rate,
            "dev_rate": spec.dev_rate,
            "seed": spec.seed,
            "cell": cell.digest,
        }
        for condition in evaluation.conditions_of(cell):
            predictions = evaluation.cell_predictions(cell, condition)
            failed = np.isnan(predictions).any()
            for metric in evaluation.metrics:
                value = None if failed else float(metric.score(evaluation.label, predictions))
                rows.append({**about, "condition": condition.name, "metric": metric.name, "value": value})
    return pl.DataFrame(rows, schema=METRICS)


def _write(path: Path, value: list[Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")
