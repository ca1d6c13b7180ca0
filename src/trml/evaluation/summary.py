"""Every method under every condition: the mean over seeds with its interval, and every pair of methods judged."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from trml.base.progress import track
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.contract import ALL, COMPLETE, MATCHED, SETTING_A, Study
from trml.evaluation.metrics.common.metric import Array, Mask, Metric
from trml.evaluation.oracle import Oracle
from trml.evaluation.pairs import against, pairs
from trml.evaluation.predictions import Evaluation, failed_seeds
from trml.evaluation.schemas import PAIRS, SUMMARY
from trml.evaluation.statistics import Scores, leaders
from trml.evaluation.verdicts import margin
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition
from trml.missing.modalities import read

# The defaults' scores over the rates: (protocol, method, victim, metric) -> rate -> score.
Curves = dict[tuple[str, str, str, str], dict[float, Scores]]


def conditions(study: Study) -> Iterator[tuple[str, Condition]]:
    """Yield every (protocol, condition) that the methods are compared under."""
    for victim in study.victims:
        for rate in study.rates_of(victim):
            if rate == 0 or study.training == MATCHED:
                yield MATCHED, Condition.matched(victim, rate)
            if rate > 0 and 0.0 in study.rates:
                yield COMPLETE, Condition.complete_training(victim, rate)
    for modality, rate in product(study.single_victims, study.setting_rates):
        yield SETTING_A, Condition.setting_a(modality, rate)


class Summary:
    """The rows of summary.parquet and pairs.parquet, and the scores that robustness is measured on.

    The rows of the summary are those of every method under every condition, its variants at the study rate, the
    constant predictor and, where they are known, the oracle and the ceiling; each on all test utterances and, where
    some of them lack something, on those that keep the same modalities.
    """

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation, self.study = evaluation, evaluation.study
        self.ceiling = Ceiling(evaluation.inputs.corpus)
        self.oracle = Oracle.read(evaluation.inputs.corpus, evaluation.ids)
        self.margins = {metric.name: margin(evaluation, metric) for metric in evaluation.metrics}
        self.curves = Curves()
        self._rows: list[dict[str, Any]] = []
        self._pairs: list[dict[str, Any]] = []
        every = list(conditions(self.study))
        for protocol, condition in track(every, len(every), "conditions summarised"):
            self._add(protocol, condition)

    @property
    def rows(self) -> pl.DataFrame:
        """summary.parquet."""
        return pl.DataFrame(self._rows, schema=SUMMARY)

    @property
    def pairs(self) -> pl.DataFrame:
        """pairs.parquet."""
        return pl.DataFrame(self._pairs, schema=PAIRS)

    def _add(self, protocol: str, condition: Condition) -> None:
        study, evaluation = self.study, self.evaluation
        runs = [name for name, method in study.by_name.items() if study.runs(method, condition.victim)]
        predictions = {name: evaluation.predictions(name, condition) for name in runs}
        linear = evaluation.references_under(condition)
        submitted = evaluation.submitted_under(condition)
        parts: dict[str, Mask | None] = {ALL: None}
        of_parts = evaluation.parts(condition)
        if len(of_parts) > 1:
            parts |= of_parts
        for (present, counted), metric in product(parts.items(), evaluation.metrics):
            about = {**_about(protocol, condition), "present": present, "metric": metric.name}
            scores = {name: evaluation.scores(metric, each, counted) for name, each in predictions.items()}
            constant = evaluation.constant_scores(metric, counted)
            references = {name: evaluation.scores(metric, each, counted) for name, each in linear.items()}
            self._rows += self._methods(about, condition, metric, predictions, scores)
            self._rows += self._references(about, condition, metric, constant, counted)
            self._rows += [
                {**_row(about, name, DEFAULT, "reference"), **score.columns()} for name, score in references.items()
            ]
            others = {name: evaluation.scores(metric, each, counted) for name, each in submitted.items()}
            self._rows += [{**_row(about, name, DEFAULT, "submitted"), **s.columns()} for name, s in others.items()]
            margin = self.margins[metric.name]
            self._pairs += pairs(about, metric, {**scores, "constant": constant}, margin)
            self._pairs += against(about, metric, scores, references, margin)
            self._pairs += against(about, metric, scores, others, margin)
            if present == ALL:
                for name, score in {**scores, **others}.items():
                    self.curves.setdefault((protocol, name, condition.victim, metric.name), {})[condition.rate] = score
        is_studied = condition.victim in study.single_victims and condition.rate == study.study_rate
        if protocol == study.training and is_studied:
            self._rows += self._variants(protocol, condition, parts)

    def _methods(
        self,
        about: dict[str, Any],
        condition: Condition,
        metric: Metric,
        predictions: dict[str, Array],
        scores: dict[str, Scores],
    ) -> Iterator[dict[str, Any]]:
        """Yield a row a method."""
        compared = {name: score for name, score in scores.items() if self._is_compared(name, condition)}
        leading = leaders(metric, compared)
        for name, score in scores.items():
            row = _row(about, name, DEFAULT, self.study.by_name[name].role)
            yield {**row, **score.columns(), "leads": name in leading, "failed": failed_seeds(predictions[name])}

    def _is_compared(self, name: str, condition: Condition) -> bool:
        """Return whether a method can lead: not the upper bound, and not a method of one modality on complete data."""
        method = self.study.by_name[name]
        return method.role != "upper" and (condition.rate > 0 or not method.single)

    def _references(
        self, about: dict[str, Any], condition: Condition, metric: Metric, constant: Scores, counted: Mask | None
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of the constant predictor, of the oracle on these utterances and of the ceiling."""
        yield {**_row(about, "constant", DEFAULT, "constant"), **constant.columns()}
        if metric is self.evaluation.primary and self.oracle is not None:  # it is the best in no other
            seeds = len(self.study.seeds)
            every = {present: np.stack([each] * seeds) for present, each in self.oracle.by_present.items()}
            predictions = self.evaluation.put_together(condition, every)
            if predictions is not None:
                scores = self.evaluation.scores(metric, predictions, counted)
                yield {**_row(about, "oracle", DEFAULT, "oracle"), **scores.columns()}
        modalities = self.study.modalities
        if about["present"] == ALL:
            best = self.ceiling.at(metric.name, self.study.pattern(condition.victim), condition.rate, modalities)
        else:
            best = self.ceiling.with_present(metric.name, read(about["present"]))
        if best is not None:
            yield {**_row(about, "ceiling", DEFAULT, "ceiling"), "value": best}

    def _variants(self, protocol: str, condition: Condition, parts: dict[str, Mask | None]) -> Iterator[dict[str, Any]]:
        """Yield a row a variant, part and metric."""
        evaluation = self.evaluation
        for method in self.study.methods:
            for variant in method.variants:
                predictions = evaluation.predictions(method.name, condition, variant=variant.name)
                for (present, counted), metric in product(parts.items(), evaluation.metrics):
                    about = {**_about(protocol, condition), "present": present, "metric": metric.name}
                    scores = evaluation.scores(metric, predictions, counted)
                    row = _row(about, method.name, variant.name, method.role)
                    yield {**row, **scores.columns(), "failed": failed_seeds(predictions)}


def _about(protocol: str, condition: Condition) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "victim": condition.victim,
        "trained": condition.trained,
        "rate": condition.rate,
    }


def _row(about: dict[str, Any], method: str, variant: str, role: str) -> dict[str, Any]:
    empty = {"value": None, "low": None, "high": None, "leads": False, "failed": 0}
    return {**about, "method": method, "variant": variant, "role": role, **empty}
