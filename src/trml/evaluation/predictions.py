"""The predictions of an experiment under every evaluation condition, put together from the cell store.

This is the only reader of test labels.
"""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import read_json
from trml.evaluation.metrics import Array, Metric, metrics_of
from trml.evaluation.statistics import Resamples, Scores
from trml.features.contract import FeatureInfo
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition
from trml.missing.masks import frames_condition, lost_of_either, missing
from trml.planning.plan import Cell, Plan
from trml.training.contract import read_cell

SPLIT = "test"


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

    def grid(self, victims: list[str]) -> list[Condition]:
        """Every rate above 0 of these victims, in training and at evaluation alike."""
        protocol = self.plan.params.protocol
        return [Condition.alike(victim, rate) for victim in victims for rate in protocol.rates_of(victim) if rate > 0]

    def conditions_of(self, cell: Cell) -> list[Condition]:
        """What a cell is scored under: complete data, and of what may be missing for it the rates it was trained and
        selected at, or, trained on complete data, every rate."""
        protocol = self.plan.params.protocol
        victims = [cell.victim] if cell.victim else [v for v in protocol.victims if self.plan.runs(cell.method, v)]
        own = {cell.rate, cell.dev_rate} - {0.0}
        return [Condition(victims[0], 0.0, cell.rate, cell.dev_rate)] + [
            Condition(victim, rate, cell.rate, cell.dev_rate)
            for victim in victims
            for rate in (sorted(own) or protocol.rates_of(victim))
            if rate > 0
        ]

    def cell_predictions(self, cell: Cell, condition: Condition) -> Array:
        """Predictions [N] of one cell: made without what is missing where it is, with both modalities elsewhere; all
        NaN where the training failed."""
        made = self._made(cell)
        if not made:
            return np.full(len(self.ids), np.nan)
        if condition.rate == 0:
            return made["complete"]
        if condition.victim == "frames":
            return made["vision_missing" if condition.rate == 1 else frames_condition(condition.rate)]
        found = made["complete"]
        for modality, lost in self._lost(condition, cell.seed).items():
            found = np.where(lost, made[f"{modality}_missing"], found)
        return found

    def predictions(self, method: str, condition: Condition, *, variant: str = DEFAULT) -> Array:
        """Predictions [seeds, N] of a method trained and evaluated as the condition says."""
        how = variant, condition.victim, condition.trained, condition.dev
        cells = [self.plan.cell(method, *how, seed) for seed in self.seeds]
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

    def _made(self, cell: Cell) -> dict[str, Array]:
        """The predictions [N] that a cell left, by condition."""
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

    def _lost(self, condition: Condition, seed: int) -> dict[str, NDArray[np.bool_]]:
        """Which utterances lack which modality."""
        corpus, n = self.plan.params.corpus.name, len(self.ids)
        if condition.victim == "either":
            lost = lost_of_either(corpus, SPLIT, seed, condition.rate, n)
            return {"text": lost[:, 0], "vision": lost[:, 1]}
        return {condition.victim: missing(corpus, condition.victim, SPLIT, seed, condition.rate, n)}
