"""Robustness of anybody's predictions: curves over the missing rate, intervals and verdicts from one table.

Scores, intervals and tests are those of the methods of this project (statistics.py, pairs.py, robustness.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.evaluation.brought_table import read_predictions
from trml.evaluation.contract import FEWEST_GROUPS, FEWEST_SEEDS
from trml.evaluation.metrics.common.metric import Array, Metric
from trml.evaluation.pairs import pairs
from trml.evaluation.registry import metrics_of
from trml.evaluation.robustness import effective, relative
from trml.evaluation.statistics import Groups, Scores
from trml.evaluation.verdicts import better_by, judge

COMPLETE = "complete"


@dataclass(frozen=True)
class Brought:
    """What the predictions of a table are worth.

    Attributes:
        task: `regression` or `classification`.
        classes: In order, none of a regression.
        metric: name, label and higher_is_better of the metric.
        utterances: How many there are.
        groups: How many videos, speakers or dialogues.
        seeds: Of the trainings.
        curves: method, victim, rate, value, low, high: the score under each condition.
        drops: method, victim, rate, and how much worse it is than on complete data, judged.
        robustness: method, victim, measure, value, low, high (evaluation/robustness.py).
        pairs: victim, rate, first, second and the difference of two methods, judged.
        notes: What these data cannot say.
    """

    task: str
    classes: Sequence[str]
    metric: Mapping[str, Any]
    utterances: int
    groups: int
    seeds: Sequence[int]
    curves: Sequence[Mapping[str, Any]]
    drops: Sequence[Mapping[str, Any]]
    robustness: Sequence[Mapping[str, Any]]
    pairs: Sequence[Mapping[str, Any]]
    notes: Sequence[str]


def brought(
    path: Path, *, metric: str | None = None, margin: float | None = None, reference: str | None = None
) -> Brought:
    """Score a table of predictions.

    Args:
        path: A .csv or .parquet file.
        metric: By name, None for the primary one of the task.
        margin: The smallest difference that matters, None for no test of equivalence.
        reference: The method that effective robustness is measured against, None to leave it out.

    Raises:
        DataMissing: If there is no such file.
        ContractError: If the table is at fault; it names the first row of each kind of fault.
        CommandError: If metric or reference are unknown.
    """
    table = Table(path, read_predictions(path))
    chosen = table.metrics[0]
    if metric is not None:
        by_name = {each.name: each for each in table.metrics}
        if metric not in by_name:
            raise CommandError(f"there is no metric {metric!r} of a {table.task}{nearest(metric, by_name)}")
        chosen = by_name[metric]
    if reference is not None and reference not in table.methods:
        raise CommandError(f"{path.name} has no method {reference!r}{nearest(reference, table.methods)}")
    scores = table.scores(chosen)
    return Brought(
        task=table.task,
        classes=table.classes,
        metric={"name": chosen.name, "label": chosen.label, "higher_is_better": chosen.higher_is_better},
        utterances=len(table.ids),
        groups=table.groups.count,
        seeds=table.seeds,
        curves=[{"method": m, "victim": v, "rate": r, **score.columns()} for (m, v, r), score in scores.items()],
        drops=list(_drops(chosen, scores, margin)),
        robustness=list(_robustness(scores, reference)),
        pairs=list(_pairs(chosen, scores, margin)),
        notes=_notes(table, margin),
    )


@dataclass(frozen=True)
class Table:
    """A checked table of predictions; `rows` has all columns."""

    path: Path
    rows: pl.DataFrame

    @cached_property
    def ids(self) -> list[str]:
        """The utterances, in the order in which they first come."""
        return self.rows["utterance_id"].unique(maintain_order=True).to_list()

    @cached_property
    def methods(self) -> list[str]:
        """The methods."""
        return self.rows["method"].unique(maintain_order=True).to_list()

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds."""
        return sorted(self.rows["seed"].unique().to_list())

    @cached_property
    def classes(self) -> list[str]:
        """The classes, none of a regression."""
        if self.rows["label"].dtype.is_numeric():
            return []
        return sorted({*self.rows["label"].unique(), *self.rows["prediction"].cast(pl.String).unique()})

    @property
    def task(self) -> str:
        """`regression`, or `classification` where labels are words."""
        return "classification" if self.classes else "regression"

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task, the primary one first."""
        return metrics_of(self.task, len(self.classes))

    @cached_property
    def groups(self) -> Groups:
        """The groups of the utterances."""
        return Groups.named(self._of_utterances("group").cast(pl.String).to_numpy())

    def scores(self, metric: Metric) -> dict[tuple[str, str, float], Scores]:
        """Return the score of each method under each condition: (method, victim, rate) -> score."""
        label, order = self._numbers(self._of_utterances("label")), pl.DataFrame({"utterance_id": self.ids})
        found = {}
        for (method, condition), part in self.rows.group_by("method", "condition", maintain_order=True):
            of_seeds = [
                order.join(part.filter(pl.col("seed") == seed), on="utterance_id", maintain_order="left")
                for seed in self.seeds
            ]
            predictions = np.stack([self._numbers(each["prediction"]) for each in of_seeds])
            score = self.groups.scores(metric, label, predictions)
            for victim, rate in self._conditions(str(condition)):
                found[str(method), victim, rate] = score
        return found

    def _conditions(self, condition: str) -> list[tuple[str, float]]:
        """Return a condition's pattern and rate; complete data is the start of every pattern's curve."""
        if condition != COMPLETE:
            victim, _, rate = condition.rpartition("@")
            return [(victim, float(rate))]
        others = self.rows["condition"].unique(maintain_order=True).to_list()
        victims = dict.fromkeys(each.rpartition("@")[0] for each in others if each != COMPLETE)
        return [(victim, 0.0) for victim in victims] or [(COMPLETE, 0.0)]

    def _of_utterances(self, column: str) -> pl.Series:
        """Return a column that each utterance has one value of, in the order of `ids`."""
        return self.rows.unique("utterance_id", keep="first", maintain_order=True)[column]

    def _numbers(self, values: pl.Series) -> Array:
        if not self.classes:
            return values.cast(pl.Float64).to_numpy()
        number = {name: float(i) for i, name in enumerate(self.classes)}
        return np.array([number[str(value)] for value in values])


def _drops(
    metric: Metric, scores: Mapping[tuple[str, str, float], Scores], margin: float | None
) -> Iterator[dict[str, Any]]:
    """Yield how each method compares with itself on complete data, tests corrected for its conditions."""
    by_method: dict[str, list[tuple[str, float]]] = {}
    for method, victim, rate in scores:
        if rate > 0 and (method, victim, 0.0) in scores:
            by_method.setdefault(method, []).append((victim, rate))
    for method, conditions in by_method.items():
        differences = [better_by(metric, scores[method, v, r], scores[method, v, 0.0]) for v, r in conditions]
        for (victim, rate), judged in zip(conditions, judge(differences, margin), strict=True):
            yield {"method": method, "victim": victim, "rate": rate, **asdict(judged)}


def _robustness(scores: Mapping[tuple[str, str, float], Scores], reference: str | None) -> Iterator[dict[str, Any]]:
    """Yield both measures of every curve over two rates or more."""
    curves: dict[tuple[str, str], dict[float, Scores]] = {}
    for (method, victim, rate), score in scores.items():
        curves.setdefault((method, victim), {})[rate] = score
    for (method, victim), curve in curves.items():
        rates = sorted(curve)
        if len(rates) < 2:
            continue
        own, about = [curve[rate] for rate in rates], {"method": method, "victim": victim}
        yield {**about, "measure": "relative", **relative(rates, own).columns()}
        other = curves.get((reference or "", victim), {})
        if reference != method and {*rates} <= {*other}:
            yield {**about, "measure": "effective", **effective(rates, own, [other[r] for r in rates]).columns()}


def _pairs(
    metric: Metric, scores: Mapping[tuple[str, str, float], Scores], margin: float | None
) -> Iterator[dict[str, Any]]:
    """Yield every two methods under each condition, judged; tests are corrected for the pairs of a condition."""
    for victim, rate in dict.fromkeys((victim, rate) for _, victim, rate in scores):
        at = {method: score for (method, v, r), score in scores.items() if (v, r) == (victim, rate)}
        yield from pairs({"victim": victim, "rate": rate}, metric, at, margin)


def _notes(table: Table, margin: float | None) -> list[str]:
    notes = []
    if len(table.seeds) < FEWEST_SEEDS:
        notes.append(f"{len(table.seeds)} seeds: intervals and verdicts need at least {FEWEST_SEEDS} (column seed).")
    if table.groups.count < FEWEST_GROUPS:
        notes.append(f"{table.groups.count} groups: intervals and verdicts need at least {FEWEST_GROUPS}.")
    if margin is None:
        notes.append("No margin was given, so no difference is called equivalent: --margin.")
    return notes
