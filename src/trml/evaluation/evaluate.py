"""Scores every cell and summarises them with intervals: the tables that the report is made from.

metrics.parquet, .csv   one row a cell x condition x metric, on test; no value where the training failed
summary.parquet         one row a protocol x method x variant x condition x metric: mean over seeds and its interval;
                        `leads` where no compared method is significantly better; `failed`: how many seeds' trainings
                        failed, and then there is no value. `protocol` is `alike` (the same rate in training and at
                        evaluation), `complete` (trained on complete data) or `setting_a`; `trained` the training's rate
robustness.parquet      one row a protocol x method x victim x metric x measure (evaluation/robustness.py)
laboratory.parquet      what was recovered over the redundancy, where the experiment has such datasets (laboratory.py)
claims.json             every claim with its comparisons
"""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.base.progress import track
from trml.evaluation import robustness
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.claims.decide import decide
from trml.evaluation.metrics import Metric
from trml.evaluation.predictions import Evaluation, failed_seeds
from trml.evaluation.redundancy import laboratory
from trml.evaluation.statistics import ALPHA, Scores, holm
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition
from trml.planning.plan import Plan

ALIKE, COMPLETE, SETTING_A = "alike", "complete", "setting_a"


def evaluate(plan: Plan, folder: Path) -> None:
    """Write the evaluation of a plan's cells into `folder`."""
    evaluation = Evaluation(plan)
    metrics = _metrics(evaluation)
    metrics.write_parquet(folder / "metrics.parquet")
    metrics.with_columns(pl.col("value").round(6)).write_csv(folder / "metrics.csv")
    curves: Curves = {}
    summary = pl.DataFrame(_summary(evaluation, curves), infer_schema_length=None)
    summary.write_parquet(folder / "summary.parquet")
    pl.DataFrame(_robustness(evaluation, curves), infer_schema_length=None).write_parquet(folder / "robustness.parquet")
    rows = laboratory(evaluation)
    if rows:
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "laboratory.parquet")
    # The laboratory's datasets are there for the row they have in it: no complete data, no claims of their own.
    claims = [] if plan.study == "redundancy" else [claim.to_json() for claim in decide(evaluation)]
    (folder / "claims.json").write_text(json.dumps(claims, indent=1) + "\n")
    (folder / "cells.json").write_text(json.dumps(evaluation.records(), indent=1) + "\n")


def _metrics(evaluation: Evaluation) -> pl.DataFrame:
    rows = []
    cells = evaluation.plan.cells
    for cell in track(cells, len(cells), "cells scored"):
        for condition in evaluation.conditions_of(cell):
            predictions = evaluation.cell_predictions(cell, condition)
            failed = np.isnan(predictions).any()
            for metric in evaluation.metrics:
                rows.append(
                    {
                        "method": cell.method,
                        "variant": cell.variant,
                        "train_victim": cell.victim or "none",
                        "train_rate": cell.rate,
                        "dev_rate": cell.dev_rate,
                        "seed": cell.seed,
                        "cell": cell.digest,
                        "condition": condition.name,
                        "metric": metric.name,
                        "value": None if failed else float(metric.score(evaluation.label, predictions)),
                    }
                )
    return pl.DataFrame(rows, schema_overrides={"value": pl.Float64}, infer_schema_length=None)


def conditions(plan: Plan) -> Iterator[tuple[str, Condition]]:
    """Every (protocol, condition) that the methods are compared under."""
    protocol = plan.params.protocol
    for victim in protocol.victims:
        for rate in protocol.rates_of(victim):
            yield ALIKE, Condition.alike(victim, rate)
            if rate > 0 and 0.0 in protocol.rates:
                yield COMPLETE, Condition.complete_training(victim, rate)
    for modality, rate in product(protocol.modalities, protocol.setting_rates):
        yield SETTING_A, Condition.setting_a(modality, rate)


# The default's scores over the rates: (protocol, method, victim, metric) -> rate -> score.
Curves = dict[tuple[str, str, str, str], dict[float, Scores]]


def _summary(evaluation: Evaluation, curves: Curves) -> list[dict[str, Any]]:
    """Every method under every condition, its variants at the study rate, the constant predictor, the ceiling. Fills
    `curves` on the way."""
    plan, rows = evaluation.plan, []
    ceiling = Ceiling(plan.corpus)
    every = list(conditions(plan))
    for protocol, condition in track(every, len(every), "conditions summarised"):
        made = {
            name: evaluation.predictions(name, condition)
            for name in plan.params.methods
            if plan.runs(name, condition.victim)
        }
        for metric in evaluation.metrics:
            scores = {name: evaluation.scores(metric, predictions) for name, predictions in made.items()}
            leading = leaders(metric, {n: s for n, s in scores.items() if _is_compared(plan, n, condition)})
            for name, score in scores.items():
                row = _row(protocol, name, DEFAULT, plan.params.methods[name].role, condition, metric, score)
                rows.append({**row, "leads": name in leading, "failed": failed_seeds(made[name])})
                curves.setdefault((protocol, name, condition.victim, metric.name), {})[condition.rate] = score
            constant = evaluation.scores(metric, evaluation.constant)
            rows.append(_row(protocol, "constant", DEFAULT, "constant", condition, metric, constant))
            best = ceiling.at(metric.name, condition.victim, condition.rate)
            if best is not None:
                rows.append(_row(protocol, "ceiling", DEFAULT, "ceiling", condition, metric, None, best))
        if _is_studied(plan, protocol, condition):
            rows += _studies(evaluation, condition)
    return rows


def _is_compared(plan: Plan, name: str, condition: Condition) -> bool:
    """The upper bound is not compared, and on complete data no method that has only one modality."""
    method = plan.params.methods[name]
    return method.role != "upper" and (condition.rate > 0 or "victim" not in method.depends_on)


def _is_studied(plan: Plan, protocol: str, condition: Condition) -> bool:
    studied = plan.params.protocol
    return protocol == ALIKE and condition.victim in studied.modalities and condition.rate == studied.study_rate


def _studies(evaluation: Evaluation, condition: Condition) -> list[dict[str, Any]]:
    rows = []
    for name, method in evaluation.plan.params.methods.items():
        for variant in evaluation.plan.variants(name):
            predictions = evaluation.predictions(name, condition, variant=variant)
            for metric in evaluation.metrics:
                scores = evaluation.scores(metric, predictions)
                row = _row(ALIKE, name, variant, method.role, condition, metric, scores)
                rows.append({**row, "failed": failed_seeds(predictions)})
    return rows


def _row(
    protocol: str,
    method: str,
    variant: str,
    role: str,
    condition: Condition,
    metric: Metric,
    scores: Scores | None,
    value: float | None = None,
) -> dict[str, Any]:
    known = scores is not None and not scores.is_failed
    low, high = scores.interval if scores and known else (None, None)
    return {
        "protocol": protocol,
        "method": method,
        "variant": variant,
        "role": role,
        "victim": condition.victim,
        "trained": condition.trained,
        "rate": condition.rate,
        "metric": metric.name,
        "value": scores.value if scores and known else value,
        "low": low,
        "high": high,
        "leads": False,
        "failed": 0,
    }


def leaders(metric: Metric, scores: dict[str, Scores]) -> list[str]:
    """The best of the methods and all that are not significantly worse (Holm, 5 %); a method that failed is neither."""
    scores = {name: score for name, score in scores.items() if not score.is_failed}
    if not scores:
        return []
    sign = 1 if metric.higher_is_better else -1
    best = max(scores, key=lambda name: sign * scores[name].value)
    others = [name for name in scores if name != best]
    adjusted = holm([(scores[best] - scores[name]).p_value for name in others])
    return [best, *(name for name, p in zip(others, adjusted, strict=True) if p >= ALPHA)]


def _robustness(evaluation: Evaluation, curves: Curves) -> list[dict[str, Any]]:
    """Relative and effective robustness of every curve that goes from complete data to the victim always missing."""
    methods = evaluation.plan.params.methods
    upper = next((name for name, method in methods.items() if method.role == "upper"), None)
    rows = []
    for (protocol, name, victim, metric), by_rate in curves.items():
        if protocol == SETTING_A or upper is None:
            continue
        whole = {
            **curves[ALIKE, name, victim, metric],
            **by_rate,
        }  # complete training starts at the same complete score
        rates = sorted(whole)
        if len(rates) < 2:
            continue
        scores = [whole[rate] for rate in rates]
        reference = [curves[ALIKE, upper, victim, metric][rate] for rate in rates]
        measured = {
            "relative": robustness.relative(rates, scores),
            "effective": robustness.effective(rates, scores, reference),
        }
        for measure, score in measured.items():
            low, high = (None, None) if score.is_failed else score.interval
            rows.append(
                {
                    "protocol": protocol,
                    "method": name,
                    "victim": victim,
                    "metric": metric,
                    "measure": measure,
                    "value": None if score.is_failed else score.value,
                    "low": low,
                    "high": high,
                }
            )
    return rows
