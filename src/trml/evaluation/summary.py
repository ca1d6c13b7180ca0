"""Every method under every condition: the mean over seeds with its interval."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import polars as pl

from trml.base.progress import track
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.contract import COMPLETE, MATCHED, SETTING_A, Study
from trml.evaluation.metrics.common.metric import Array, Metric
from trml.evaluation.predictions import Evaluation, failed_seeds
from trml.evaluation.schemas import SUMMARY
from trml.evaluation.statistics import Scores, leaders
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition

# The defaults' scores over the rates: (protocol, method, victim, metric) -> rate -> score.
Curves = dict[tuple[str, str, str, str], dict[float, Scores]]


def conditions(study: Study) -> Iterator[tuple[str, Condition]]:
    """Yield every (protocol, condition) that the methods are compared under."""
    for victim in study.victims:
        for rate in study.rates_of(victim):
            yield MATCHED, Condition.matched(victim, rate)
            if rate > 0 and 0.0 in study.rates:
                yield COMPLETE, Condition.complete_training(victim, rate)
    for modality, rate in product(study.single_victims, study.setting_rates):
        yield SETTING_A, Condition.setting_a(modality, rate)


def summarise(evaluation: Evaluation) -> tuple[pl.DataFrame, Curves]:
    """Return the rows of summary.parquet, and the scores that robustness is measured on.

    The rows are those of every method under every condition, its variants at the study rate, the constant predictor
    and, where it is known, the ceiling.
    """
    study, curves = evaluation.study, Curves()
    ceiling, every = Ceiling(evaluation.inputs.corpus), list(conditions(study))
    rows: list[dict[str, Any]] = []
    for protocol, condition in track(every, len(every), "conditions summarised"):
        runs = [name for name, method in study.by_name.items() if study.runs(method, condition.victim)]
        predictions = {name: evaluation.predictions(name, condition) for name in runs}
        for metric in evaluation.metrics:
            scores = {name: evaluation.scores(metric, each) for name, each in predictions.items()}
            rows += _methods(study, protocol, condition, metric, predictions, scores)
            rows += _references(evaluation, ceiling, protocol, condition, metric)
            for name, score in scores.items():
                curves.setdefault((protocol, name, condition.victim, metric.name), {})[condition.rate] = score
        if protocol == MATCHED and condition.victim in study.single_victims and condition.rate == study.study_rate:
            rows += _variants(evaluation, condition)
    return pl.DataFrame(rows, schema=SUMMARY), curves


def _methods(
    study: Study,
    protocol: str,
    condition: Condition,
    metric: Metric,
    predictions: dict[str, Array],
    scores: dict[str, Scores],
) -> Iterator[dict[str, Any]]:
    """Yield a row a method."""
    leading = leaders(metric, {name: s for name, s in scores.items() if _is_compared(study, name, condition)})
    for name, score in scores.items():
        row = _row(protocol, name, DEFAULT, study.by_name[name].role, condition, metric)
        yield {**row, **score.columns(), "leads": name in leading, "failed": failed_seeds(predictions[name])}


def _is_compared(study: Study, name: str, condition: Condition) -> bool:
    """Return whether a method can lead: not the upper bound, and not a method of one modality on complete data."""
    method = study.by_name[name]
    return method.role != "upper" and (condition.rate > 0 or not method.single)


def _references(
    evaluation: Evaluation, ceiling: Ceiling, protocol: str, condition: Condition, metric: Metric
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the constant predictor and of the ceiling."""
    constant = evaluation.constant_scores(metric)
    yield {**_row(protocol, "constant", DEFAULT, "constant", condition, metric), **constant.columns()}
    study = evaluation.study
    best = ceiling.at(metric.name, study.pattern(condition.victim), condition.rate, study.modalities)
    if best is not None:
        yield {**_row(protocol, "ceiling", DEFAULT, "ceiling", condition, metric), "value": best}


def _variants(evaluation: Evaluation, condition: Condition) -> Iterator[dict[str, Any]]:
    """Yield a row a variant."""
    for method in evaluation.study.methods:
        for variant in method.variants:
            predictions = evaluation.predictions(method.name, condition, variant=variant.name)
            for metric in evaluation.metrics:
                row = _row(MATCHED, method.name, variant.name, method.role, condition, metric)
                scores = evaluation.scores(metric, predictions)
                yield {**row, **scores.columns(), "failed": failed_seeds(predictions)}


def _row(protocol: str, method: str, variant: str, role: str, condition: Condition, metric: Metric) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "method": method,
        "variant": variant,
        "role": role,
        "victim": condition.victim,
        "trained": condition.trained,
        "rate": condition.rate,
        "metric": metric.name,
        "value": None,
        "low": None,
        "high": None,
        "leads": False,
        "failed": 0,
    }
