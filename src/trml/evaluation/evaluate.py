"""Scores every cell and summarises them with intervals: the tables that the report is made from.

metrics.parquet, .csv   one row a cell x condition x metric, on test; no value where the training failed
summary.parquet         one row a method x variant x condition x metric: mean over seeds and its interval; `leads`
                        where no compared method is significantly better; `failed`: how many seeds' trainings failed,
                        and then there is no value
claims.json             every claim with its comparisons
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.config import MethodConfig
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.claims import ALPHA, decide
from trml.evaluation.metrics import Metric
from trml.evaluation.scores import Condition, Evaluation, failed_seeds
from trml.evaluation.statistics import Scores, holm
from trml.plan import DEFAULT, Plan, sweep_name
from trml.progress import track


def evaluate(plan: Plan, folder: Path) -> None:
    """Write the evaluation of a plan's cells into `folder`."""
    evaluation = Evaluation(plan)
    metrics = _metrics(evaluation)
    metrics.write_parquet(folder / "metrics.parquet")
    metrics.with_columns(pl.col("value").round(6)).write_csv(folder / "metrics.csv")
    pl.DataFrame(_summary(evaluation), infer_schema_length=None).write_parquet(folder / "summary.parquet")
    claims = [claim.to_json() for claim in decide(evaluation)]
    (folder / "claims.json").write_text(json.dumps(claims, indent=1) + "\n")
    (folder / "cells.json").write_text(json.dumps(evaluation.records(), indent=1) + "\n")


def _metrics(evaluation: Evaluation) -> pl.DataFrame:
    rows = []
    cells = evaluation.plan.cells
    for cell in track(cells, len(cells), "cells scored"):
        for condition in evaluation.conditions(cell.victim):
            predictions = evaluation.cell_predictions(cell, condition)
            for metric in evaluation.metrics:
                rows.append(
                    {
                        "method": cell.method,
                        "variant": cell.variant,
                        "train_victim": cell.victim or "none",
                        "train_rate": cell.rate,
                        "seed": cell.seed,
                        "cell": cell.digest,
                        "condition": condition.name,
                        "metric": metric.name,
                        "value": None
                        if np.isnan(predictions).any()
                        else float(metric.score(evaluation.label, predictions)),
                    }
                )
    return pl.DataFrame(rows, schema_overrides={"value": pl.Float64}, infer_schema_length=None)


def _summary(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Every method over the rates, its variants and sweeps at the study rate, the constant predictor, the ceiling."""
    params, rows = evaluation.plan.params, []
    ceiling = Ceiling(evaluation.plan.corpus)
    grid = [(victim, rate) for victim in params.protocol.victims for rate in params.protocol.rates]
    for victim, rate in grid:
        condition = Condition(victim, rate)
        compared = [name for name, method in params.methods.items() if _is_compared(method, rate)]
        leading = {metric.name: leaders(evaluation, metric, compared, condition) for metric in evaluation.metrics}
        for name, method in params.methods.items():
            rows += [
                {**row, "leads": name in leading[row["metric"]]}
                for row in _rows(evaluation, name, DEFAULT, method.role, condition)
            ]
            if rate == params.protocol.study_rate:
                swept = [sweep_name(option, value) for option, values in method.sweeps.items() for value in values]
                for variant in (*method.variants, *swept):
                    rows += _rows(evaluation, name, variant, method.role, condition)
        for metric in evaluation.metrics:
            constant = evaluation.scores(metric, evaluation.constant)
            rows.append(_row("constant", DEFAULT, "constant", condition, metric, constant))
            best = ceiling.at(metric.name, victim, rate)
            if best is not None:
                rows.append(_row("ceiling", DEFAULT, "ceiling", condition, metric, None, best))
    return rows


def _is_compared(method: MethodConfig, rate: float) -> bool:
    """The upper bound is not compared, and on complete data no method that has only one modality."""
    return method.role != "upper" and (rate > 0 or "victim" not in method.depends_on)


def _rows(evaluation: Evaluation, name: str, variant: str, role: str, condition: Condition) -> list[dict[str, Any]]:
    predictions = evaluation.predictions(name, condition, variant=variant)
    return [
        _row(
            name,
            variant,
            role,
            condition,
            metric,
            evaluation.scores(metric, predictions),
            failed=failed_seeds(predictions),
        )
        for metric in evaluation.metrics
    ]


def _row(
    method: str,
    variant: str,
    role: str,
    condition: Condition,
    metric: Metric,
    scores: Scores | None,
    value: float | None = None,
    failed: int = 0,
) -> dict[str, Any]:
    low, high = scores.interval if scores and not failed else (None, None)
    return {
        "method": method,
        "variant": variant,
        "role": role,
        "victim": condition.victim,
        "rate": condition.rate,
        "metric": metric.name,
        "value": scores.value if scores and not failed else value,
        "low": low,
        "high": high,
        "leads": False,
        "failed": failed,
    }


def leaders(evaluation: Evaluation, metric: Metric, methods: list[str], condition: Condition) -> list[str]:
    """The best of the methods under a condition and all that are not significantly worse (Holm, 5 %); a method that
    failed is neither."""
    every = {name: evaluation.scores(metric, evaluation.predictions(name, condition)) for name in methods}
    scores = {name: score for name, score in every.items() if not score.is_failed}
    if not scores:
        return []
    sign = 1 if metric.higher_is_better else -1
    best = max(scores, key=lambda name: sign * scores[name].value)
    others = [name for name in scores if name != best]
    adjusted = holm([(scores[best] - scores[name]).p_value for name in others])
    return [best, *(name for name, p in zip(others, adjusted, strict=True) if p >= ALPHA)]
