"""Every method at the points of an axis: fewer labels, wrong ones, or labels that decide what is missing in training.

A point is a dataset with another protocol on the experiment's own corpus. All methods are scored on all test
utterances, with one modality missing, as models that were trained with that modality missing at the study's rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import polars as pl

from trml.evaluation.ceiling import Ceiling
from trml.evaluation.contract import Study
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import AXES
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import Verdict, better_by, judge, margin
from trml.missing.modalities import written


@dataclass(frozen=True)
class _Point:
    """A point of an axis: by (method, victim) the cells, one a seed, and their score."""

    evaluation: Evaluation
    cells: dict[tuple[str, str], list[str]]
    scores: dict[tuple[str, str], Scores]

    @classmethod
    def of(cls, evaluation: Evaluation) -> "_Point":
        study, cells, scores = evaluation.study, dict[tuple[str, str], list[str]](), dict[tuple[str, str], Scores]()
        for method, victim in product(study.by_name, study.single_victims):
            trained = evaluation.trained_with(method, victim, study.study_training_rate)
            if trained is not None:
                present = written(set(study.modalities) - {victim})
                predictions = evaluation.all_predicted_with(trained, present)
                cells[method, victim] = [cell.digest for cell in trained]
                scores[method, victim] = evaluation.scores(evaluation.primary, predictions)
        return cls(evaluation, cells, scores)

    @property
    def bare(self) -> Study:
        """The study without its name and weights, which is the same for a weighted point and its plain one."""
        return replace(self.evaluation.study, weighted=False, name="", dataset=None)


def axes(evaluation: Evaluation) -> pl.DataFrame | None:
    """Return the rows of axes.parquet, None if the experiment has no such datasets."""
    others = [other for other in evaluation.inputs.others if other.study.purpose == "axis"]
    if not others:
        return None
    points = [_Point.of(each) for each in (evaluation, *map(Evaluation, others))]
    plain = [point for point in points if not point.evaluation.study.weighted]
    rows: list[dict[str, Any]] = []
    for point in points:
        weighted = point.evaluation.study.weighted
        same = next((other for other in plain if weighted and other.bare == point.bare), None)
        rows += _rows(point, _against(point, same) if same else {})
    return pl.DataFrame(rows, schema=AXES)


def _rows(point: _Point, verdicts: dict[tuple[str, str], Verdict]) -> Iterator[dict[str, Any]]:
    evaluation = point.evaluation
    study, metric, ceiling = evaluation.study, evaluation.primary, Ceiling(evaluation.inputs.corpus)
    for (method, victim), score in point.scores.items():
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


def _against(weighted: _Point, plain: _Point) -> dict[tuple[str, str], Verdict]:
    """Return the verdict on each weighted training against the plain one, where these are not the same cells."""
    metric = weighted.evaluation.primary
    both = [key for key, cells in weighted.cells.items() if cells != plain.cells.get(key, cells)]
    gains = [better_by(metric, weighted.scores[key], plain.scores[key]) for key in both]
    judged = judge(gains, margin(weighted.evaluation, metric))
    return {key: each.verdict for key, each in zip(both, judged, strict=True)}
