"""Every method at the points of an axis: fewer labels, wrong ones, or labels that decide what is missing in training.

A point is a dataset with another protocol on the experiment's own corpus. All methods are scored on all test
utterances, with one modality missing, as models that were trained with that modality missing at the study's rate.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from trml.evaluation.ceiling import Ceiling
from trml.evaluation.contract import MATCHED, EvaluationInputs, Study
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import AXES
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import Verdict, better_by, judge, margin
from trml.missing.modalities import written

_Of = dict[tuple[str, str], Scores]  # (method, victim) -> score


def axes(evaluation: Evaluation) -> pl.DataFrame | None:
    """Return the rows of axes.parquet, None if the experiment has no such datasets."""
    points = [other for other in evaluation.inputs.others if other.study.purpose == "axis"]
    if not points:
        return None
    rows: list[dict[str, Any]] = []
    scored: dict[str | None, tuple[Study, _Of]] = {}
    for inputs in (evaluation.inputs, *points):
        at = evaluation if inputs is evaluation.inputs else Evaluation(inputs)
        unweighted = _unweighted(inputs, [*scored.values()])
        scored[inputs.study.dataset] = inputs.study, dict(_scores(at))
        rows += _rows(at, scored[inputs.study.dataset][1], unweighted)
    return pl.DataFrame(rows, schema=AXES)


def _scores(evaluation: Evaluation) -> Iterator[tuple[tuple[str, str], Scores]]:
    study, metric = evaluation.study, evaluation.primary
    assert study.training == MATCHED
    for victim in study.single_victims:
        present = written(set(study.modalities) - {victim})
        for method in study.by_name:
            cells = evaluation.trained_with(method, victim, study.study_rate)
            if cells is not None:
                yield (method, victim), evaluation.scores(metric, evaluation.all_predicted_with(cells, present))


def _unweighted(inputs: EvaluationInputs, before: list[tuple[Study, _Of]]) -> _Of:
    """Return the scores of the dataset that differs from a weighted one in its weights alone, nothing without one."""
    if not inputs.study.weighted:
        return {}
    same = replace(inputs.study, weighted=False, name="", dataset=None)
    return next((of for study, of in before if replace(study, name="", dataset=None) == same), {})


def _rows(evaluation: Evaluation, scores: _Of, unweighted: _Of) -> Iterator[dict[str, Any]]:
    study, metric, ceiling = evaluation.study, evaluation.primary, Ceiling(evaluation.inputs.corpus)
    verdicts = _against(evaluation, scores, unweighted)
    for (method, victim), score in scores.items():
        if not score.is_failed:
            yield {
                "dataset": study.dataset,
                "labels": study.labels or evaluation.labelled,
                "label_noise": study.label_noise,
                "absence": study.absence,
                "weighted": study.weighted,
                "method": method,
                "victim": victim,
                **score.columns(),
                "ceiling": ceiling.with_present(metric.name, frozenset(study.modalities) - {victim}),
                "against_unweighted": verdicts.get((method, victim)),
            }


def _against(evaluation: Evaluation, scores: _Of, unweighted: _Of) -> dict[tuple[str, str], Verdict]:
    """Return the verdict on each weighted training against the same one without weights."""
    metric, both = evaluation.primary, [key for key in scores if key in unweighted]
    judged = judge([better_by(metric, scores[key], unweighted[key]) for key in both], margin(evaluation, metric))
    return {key: each.verdict for key, each in zip(both, judged, strict=True)}
