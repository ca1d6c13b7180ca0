"""The predictions of an experiment under every evaluation condition, put together from the cell store.

This is the only reader of test labels.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.cells import read_cell
from trml.evaluation.metrics import Array, Metric, metrics_of
from trml.evaluation.statistics import Resamples, Scores
from trml.features import FeatureInfo
from trml.missingness import missing
from trml.plan import DEFAULT, Cell, Plan
from trml.store import read_json

SPLIT = "test"


@dataclass(frozen=True)
class Condition:
    """An evaluation condition: the victim is missing at a rate. Rate 0 is `complete` for either victim."""

    victim: str
    rate: float

    @property
    def name(self) -> str:
        return "complete" if self.rate == 0 else f"{self.victim}@{self.rate:g}"


def failed_seeds(predictions: Array) -> int:
    """How many seeds of predictions [seeds, N] have none, because their training failed."""
    return int(np.isnan(predictions).any(axis=1).sum())


class Evaluation:
    """Scores of the cells of a plan, on test utterances."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.info = FeatureInfo(**read_json(plan.features / "features.json"))
        index = pl.read_parquet(plan.features / "index.parquet")
        test = index.filter(pl.col("split") == SPLIT)
        self.ids: list[str] = test["utterance_id"].to_list()
        self.label: Array = test["label"].to_numpy().astype(float)
        self._train_label: Array = index.filter(pl.col("split") == "train")["label"].to_numpy().astype(float)
        self.metrics = metrics_of(self.info.task, len(self.info.classes))
        self.seeds = plan.params.protocol.seeds
        self.resamples = Resamples(len(self.ids), len(self.seeds), plan.params.report.resamples, plan.params.seed)

    @property
    def primary(self) -> Metric:
        """The metric that claims are judged by."""
        return self.metrics[0]

    def conditions(self, victim: str | None = None) -> list[Condition]:
        """Complete, and every rate of the protocol for the victim (None: for each)."""
        protocol = self.plan.params.protocol
        missing_one = [
            Condition(v, r) for v in protocol.victims if victim in (None, v) for r in protocol.rates if r > 0
        ]
        return [Condition(victim or protocol.victims[0], 0.0), *missing_one]

    def cell_predictions(self, cell: Cell, condition: Condition) -> Array:
        """Predictions [N] of one cell: made without the victim where it is missing, with both elsewhere; all NaN where
        the training failed."""
        patterns = self._patterns(cell)
        if not patterns:
            return np.full(len(self.ids), np.nan)
        if condition.rate == 0:
            return patterns["complete"]
        lost = self._missing(condition, cell.seed)
        return np.where(lost, patterns[f"{condition.victim}_missing"], patterns["complete"])

    def predictions(
        self, method: str, condition: Condition, *, variant: str = DEFAULT, train_rate: float | None = None
    ) -> Array:
        """Predictions [seeds, N] of a method, trained at the rate it is evaluated at unless `train_rate` says else."""
        rate = condition.rate if train_rate is None else train_rate
        cells = [self.plan.cell(method, variant, condition.victim, rate, seed) for seed in self.seeds]
        return np.stack([self.cell_predictions(cell, condition) for cell in cells])

    def scores(self, metric: Metric, predictions: Array) -> Scores:
        """Score and resamples of predictions [seeds, N]; failed where one of the seeds is."""
        if failed_seeds(predictions):
            return Scores.failed(self.resamples.count)
        return self.resamples.scores(metric, self.label, predictions)

    @cached_property
    def constant(self) -> Array:
        """The constant predictor [seeds, N]: the median (most frequent class) of the training labels."""
        if self.info.task == "regression":
            value = float(np.median(self._train_label))
        else:
            values, counts = np.unique(self._train_label, return_counts=True)
            value = float(values[counts.argmax()])
        return np.full((len(self.seeds), len(self.ids)), value)

    def records(self) -> list[dict[str, Any]]:
        """cell.json of every cell of the plan."""
        return [read_cell(self.plan, cell)[0] for cell in self.plan.cells]

    @cached_property
    def _memory(self) -> dict[str, dict[str, Array]]:
        return {}

    def _patterns(self, cell: Cell) -> dict[str, Array]:
        if cell.digest not in self._memory:
            # A cell may stand for several names; the store keeps it under the first.
            _, table = read_cell(self.plan, self._stored[cell.digest])
            if table is None:
                return self._memory.setdefault(cell.digest, {})
            table = table.filter(pl.col("split") == SPLIT)
            self._memory[cell.digest] = {
                str(condition): part["prediction"].to_numpy().astype(float)
                for (condition,), part in table.group_by("condition", maintain_order=True)
                if part["utterance_id"].to_list() == self.ids
            }
        return self._memory[cell.digest]

    @cached_property
    def _stored(self) -> dict[str, Cell]:
        return {cell.digest: cell for cell in self.plan.cells}

    def _missing(self, condition: Condition, seed: int) -> NDArray[np.bool_]:
        return missing(self.plan.params.corpus.name, condition.victim, SPLIT, seed, condition.rate, len(self.ids))
