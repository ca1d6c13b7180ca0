"""What a method was trained with, crossed with what it is shown on test.

Cells are predicted with every non-empty set of modalities present, so the matrix trains nothing.
"""

from collections.abc import Iterator
from typing import Any

import polars as pl

from trml.base.progress import track
from trml.evaluation.contract import NOTHING
from trml.evaluation.metrics.common.metric import Array, Metric
from trml.evaluation.predictions import Evaluation, failed_seeds
from trml.evaluation.schemas import MATRIX
from trml.evaluation.statistics import leaders
from trml.missing.modalities import subsets, written

# A training pattern and its rate.
Trained = tuple[str, float]


def matrix(evaluation: Evaluation) -> pl.DataFrame:
    """Return the rows of matrix.parquet: defaults trained on complete data, and with each pattern at the study rate."""
    study = evaluation.study
    rows: list[dict[str, Any]] = []
    trainings: list[Trained] = [(NOTHING, 0.0), *((victim, study.study_rate) for victim in study.victims)]
    every = [(trained, written(present)) for trained in trainings for present in subsets(study.modalities)]
    for trained, present in track(every, len(every), "trainings crossed with what is present"):
        cells = {method.name: evaluation.trained_on(method, *trained) for method in study.methods}
        predictions = {
            name: evaluation.all_predicted_with(of_seeds, present) for name, of_seeds in cells.items() if of_seeds
        }
        for metric in evaluation.metrics:
            rows += _rows(evaluation, trained, present, metric, predictions)
    return pl.DataFrame(rows, schema=MATRIX)


def _rows(
    evaluation: Evaluation, trained: Trained, present: str, metric: Metric, predictions: dict[str, Array]
) -> Iterator[dict[str, Any]]:
    scores = {name: evaluation.scores(metric, each) for name, each in predictions.items()}
    methods = evaluation.study.by_name
    leading = leaders(metric, {name: score for name, score in scores.items() if methods[name].role != "upper"})
    for name, score in scores.items():
        yield {
            "method": name,
            "victim": trained[0],
            "rate": trained[1],
            "present": present,
            "metric": metric.name,
            **score.columns(),
            "leads": name in leading,
            "failed": failed_seeds(predictions[name]),
        }
