"""Predictions of an experiment under every evaluation condition, put together from the cell store.

Only this module reads test labels.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.base.artifacts import read_json
from trml.base.errors import ContractError
from trml.evaluation.contract import NOTHING, EvaluationInputs, StudyMethod
from trml.evaluation.metrics.common.metric import Array, Mask, Metric
from trml.evaluation.references import read_references
from trml.evaluation.registry import metrics_of
from trml.evaluation.statistics import Groups, Scores
from trml.evaluation.submissions import Protocol, Submission, read_submission, trained_name
from trml.features.contract import FeatureInfo
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition, shown
from trml.missing.modalities import written
from trml.training.contract import Cell, Training
from trml.training.store import content_digest, read_cell

SPLIT = "test"


def _groups(corpus: Path) -> dict[str, str]:
    """Return the group (video, speaker or dialogue) of every utterance of a corpus by its id."""
    table = pl.read_parquet(corpus / "utterances.parquet", columns=["utterance_id", "video_id"])
    return dict(table.iter_rows())


def failed_seeds(predictions: Array) -> int:
    """Return how many seeds of predictions [seeds, N] have none because their training failed."""
    return int(np.isnan(predictions).any(axis=1).sum())


class Evaluation:
    """Predictions and scores of the cells of one dataset, on its N test utterances.

    Attributes:
        inputs: What is read.
        study: What is compared.
        info: features.json.
        ids: The test utterances, in the order of all predictions.
        label: Their labels [N].
        dev_label: The labels of dev.
        labelled: How many training utterances there are, of one training set.
        seeds: Of masks and trainings.
        groups: The videos, speakers or dialogues of the test utterances.
        group_names: Their names [N].
    """

    def __init__(self, inputs: EvaluationInputs) -> None:
        self.inputs = inputs
        self.study = inputs.study
        self.info = FeatureInfo(**read_json(inputs.features / "features.json"))
        index = pl.read_parquet(inputs.features / "index.parquet")
        test, train, dev = (index.filter(pl.col("split") == split) for split in (SPLIT, "train", "valid"))
        self.ids: list[str] = test["utterance_id"].to_list()
        self.label: Array = test["label"].to_numpy().astype(float)
        self._train_label: Array = train["label"].to_numpy().astype(float)
        self.dev_label: Array = dev["label"].to_numpy().astype(float)
        self.labelled = train.height // train["draw"].n_unique()
        self.seeds = self.study.seeds
        self._group_of = _groups(inputs.corpus)
        self.group_names = [self._group_of[name] for name in self.ids]
        self.groups = self.groups_of(self.ids)
        self._memory: dict[str, dict[str, Array]] = {}
        self._constant_scores: dict[str, Scores] = {}
        self._left: dict[tuple[str, float, int], list[tuple[str, Mask]]] = {}

    def groups_of(self, ids: Sequence[str]) -> Groups:
        """Return the groups of utterances."""
        return Groups.named(np.array([self._group_of[name] for name in ids]))

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task, the primary one first."""
        return metrics_of(self.info.task, len(self.info.classes))

    @cached_property
    def per_unit(self) -> float:
        """How many steps of a prediction make one unit of the label.

        Predictions are scored as they are published, in whole steps: classes, or a thousandth of the order of magnitude
        of the labels' range (0.001 of labels from -3 to 3).
        """
        reach = float(np.ptp(self._train_label))
        return 1.0 if self.info.classes or not reach else 10.0 ** (3 - np.floor(np.log10(reach)))

    def as_scored(self, predictions: Array) -> Array:
        """Return predictions, or scores, in whole steps."""
        return self.in_steps(predictions) / self.per_unit

    def in_steps(self, predictions: Array) -> Array:
        """Return how many steps predictions are, as whole numbers."""
        return np.rint(predictions * self.per_unit)

    @property
    def primary(self) -> Metric:
        """The metric that claims are judged by."""
        return self.metrics[0]

    def grid(self, victims: Sequence[str]) -> list[Condition]:
        """Return every rate above 0 of these patterns, trained as the study is."""
        study = self.study
        return [study.condition(victim, rate) for victim in victims for rate in study.rates_of(victim) if rate > 0]

    def conditions_of(self, cell: Cell) -> list[Condition]:
        """Return what a cell is scored under.

        Complete data first. Then the pattern that it was trained for, at the rates of training and dev; or, for a
        cell that was trained on complete data, every pattern at every rate.
        """
        study, spec = self.study, cell.spec
        method = study.by_name[spec.method]
        victims = [spec.missing] if spec.missing else [v for v in study.victims if study.runs(method, v)]
        own = {spec.rate, spec.dev_rate} - {0.0}
        return [Condition(victims[0], 0.0, spec.rate, spec.dev_rate)] + [
            Condition(victim, rate, spec.rate, spec.dev_rate)
            for victim in victims
            for rate in (sorted(own) or study.rates_of(victim))
            if rate > 0
        ]

    def cell_predictions(self, cell: Cell, condition: Condition) -> Array:
        """Return the predictions [N] of one cell, each made from what the condition leaves of its utterance.

        They are all NaN if the training failed.
        """
        predictions = np.full(len(self.ids), np.nan)
        for present, here in self.left_by(condition, cell.spec.seed):
            predictions[here] = self.predicted_with(cell, present)[here]
        return predictions

    def predicted_with(self, cell: Cell, present: str) -> Array:
        """Return the predictions [N] that a cell made from `present` alone; all NaN if the training failed.

        Raises:
            ContractError: If the cell was not predicted so, or for other utterances.
        """
        if cell.digest not in self._memory:
            self._memory[cell.digest] = self._read(cell)
        by_present = self._memory[cell.digest]
        if by_present and present not in by_present:
            known = ", ".join(by_present)
            raise ContractError(f"cell {cell.name}: no predictions of test with {present}; there are: {known}")
        return by_present[present] if by_present else np.full(len(self.ids), np.nan)

    def all_predicted_with(self, cells: Sequence[Cell], present: str) -> Array:
        """Return the predictions [seeds, N] that cells, one a seed, made from `present` alone."""
        return np.stack([self.predicted_with(cell, present) for cell in cells])

    def _read(self, cell: Cell) -> dict[str, Array]:
        """Return a cell's predictions [N] by what was present, nothing if the training failed."""
        _, table = read_cell(cell)
        if table is None:
            return {}
        by_present = {}
        for (present,), part in table.filter(pl.col("split") == SPLIT).group_by("present", maintain_order=True):
            if part["utterance_id"].to_list() != self.ids:
                raise ContractError(
                    f"cell {cell.name}: predictions with {present} are not of the {len(self.ids)} test utterances of "
                    f"{self.inputs.features}, in their order"
                )
            by_present[str(present)] = self.as_scored(part["prediction"].to_numpy().astype(float))
        return by_present

    def predictions(self, method: str, condition: Condition, *, variant: str = DEFAULT) -> Array:
        """Return the predictions [seeds, N] of a method trained and evaluated as the condition says."""
        how = method, variant, condition.victim, condition.trained, condition.dev
        cells = [self.inputs.cell(*how, seed) for seed in self.seeds]
        return np.stack([self.cell_predictions(cell, condition) for cell in cells])

    def trained_with(self, method: str, victim: str, rate: float) -> list[Cell] | None:
        """Return a method's defaults trained with a pattern at a rate, one a seed; None if the experiment has none."""
        trainings = [Training(method, DEFAULT, victim, rate, rate, seed) for seed in self.seeds]
        cells = [self.inputs.cells.get(training) for training in trainings]
        return None if None in cells else [cell for cell in cells if cell is not None]

    def trained_complete(self, method: str) -> list[Cell] | None:
        """Return a method's defaults trained on complete data, one a seed; None if the experiment has none."""
        by_seed: dict[int, Cell] = {}
        for training, cell in self.inputs.cells.items():
            is_default = training.method == method and training.variant == DEFAULT
            if is_default and cell.spec.rate == cell.spec.dev_rate == 0.0:
                by_seed.setdefault(training.seed, cell)
        return [by_seed[seed] for seed in self.seeds] if set(self.seeds) <= by_seed.keys() else None

    def trained_on(self, method: StudyMethod, trained: str, rate: float) -> list[Cell] | None:
        """Return a method's defaults by what was missing in training, one a seed; None if the experiment has none.

        A method that is trained on complete data whatever the protocol, as the upper bound is, counts for NOTHING
        alone. A method of one modality has no one training on complete data.

        Args:
            method: Of the study.
            trained: A missing pattern, or NOTHING.
            rate: Of the pattern.
        """
        if trained == NOTHING:
            return None if method.single else self.trained_complete(method.name)
        cells = self.trained_with(method.name, trained, rate)
        return cells if cells and all(cell.spec.missing for cell in cells) else None

    @cached_property
    def upper_bound(self) -> Array | None:
        """The upper bound's predictions [seeds, N] on complete data; None unless all its trainings succeeded."""
        upper = self.study.upper
        predictions = self.on_complete_data(upper.name) if upper else None
        return None if predictions is None or failed_seeds(predictions) else predictions

    def on_complete_data(self, method: str) -> Array | None:
        """Return the predictions [seeds, N] of a method trained and evaluated on complete data, None without such."""
        cells = self.trained_complete(method)
        return None if cells is None else self.all_predicted_with(cells, written(self.study.modalities))

    def scores(self, metric: Metric, predictions: Array, counted: Mask | None = None) -> Scores:
        """Return the score of predictions [seeds, N]; it failed if one of the seeds did.

        Args:
            metric: Of which.
            predictions: [seeds, N].
            counted: bool [seeds, N], the utterances that are scored; None for all.
        """
        if failed_seeds(predictions):
            return Scores.failed()
        return self.groups.scores(metric, self.label, predictions, counted)

    def left_by(self, condition: Condition, seed: int) -> list[tuple[str, Mask]]:
        """Return what a condition leaves of the test utterances with the masks of a seed: (present, bool [N])."""
        key = condition.victim, condition.rate, seed
        if key not in self._left:
            study = self.study
            how = study.modalities, len(self.ids), study.corpus, SPLIT, seed
            self._left[key] = shown(study.pattern(condition.victim), condition.rate, *how)
        return self._left[key]

    def parts(self, condition: Condition) -> dict[str, Mask]:
        """Return which utterances keep which modalities: present -> bool [seeds, N].

        The masks of seeds differ. Lost steps are a part of their own (`frames@0.5`).
        """
        parts = dict[str, Mask]()
        for i, seed in enumerate(self.seeds):
            for present, here in self.left_by(condition, seed):
                parts.setdefault(present, np.zeros((len(self.seeds), len(self.ids)), dtype=bool))[i] = here
        return parts

    def put_together(self, condition: Condition, by_present: Mapping[str, Array]) -> Array | None:
        """Return predictions [seeds, N], each from what a condition leaves of its utterance.

        Args:
            condition: Of the evaluation.
            by_present: The predictions [seeds, N] from each set of modalities. Without one that is needed: None.
        """
        parts = self.parts(condition)
        if not parts.keys() <= by_present.keys():
            return None
        predictions = np.zeros((len(self.seeds), len(self.ids)))
        for present, here in parts.items():
            predictions = np.where(here, by_present[present], predictions)
        return predictions

    @cached_property
    def references(self) -> dict[str, dict[str, Array]]:
        """What the reference models predict: name -> present -> [seeds, N]."""
        return read_references(self.inputs.references, self.ids, self.seeds)

    @cached_property
    def protocol(self) -> Protocol:
        """What submitted predictions must fit."""
        study = self.study
        settings = [Condition.setting_a(v, rate) for v in study.single_victims for rate in study.setting_rates]
        conditions = [*self.grid(study.victims), *settings]
        every = [study.condition(study.victims[0], 0.0), *conditions]
        return Protocol(
            corpus=study.corpus,
            task=self.info.task,
            classes=list(self.info.classes),
            seeds=list(self.seeds),
            present=list(dict.fromkeys(word for condition in every for word in self.parts(condition))),
            trained=list(dict.fromkeys(["complete", *map(trained_name, conditions)])),
            per_unit=self.per_unit,
        )

    @cached_property
    def submitted(self) -> dict[str, Submission]:
        """What was submitted, by name."""
        folder = self.inputs.submissions
        return {
            each.name: read_submission(folder / each.name, self.protocol, self.ids) for each in self.study.submitted
        }

    def submitted_under(self, condition: Condition) -> dict[str, Array]:
        """Return the predictions [seeds, N] of what was submitted, by name, where it has any for the condition."""
        return self._under(condition, {name: each.trained_as(condition) for name, each in self.submitted.items()})

    def references_under(self, condition: Condition) -> dict[str, Array]:
        """Return the predictions [seeds, N] of the reference models, by name, where they have any for the condition."""
        return self._under(condition, self.references)

    def _under(self, condition: Condition, by_name: Mapping[str, Mapping[str, Array]]) -> dict[str, Array]:
        made = {name: self.put_together(condition, by_present) for name, by_present in by_name.items()}
        return {name: predictions for name, predictions in made.items() if predictions is not None}

    def missing(self, condition: Condition) -> Mask:
        """Return which utterances lack something under a condition: bool [seeds, N]; all of them at rate 0."""
        complete = self.parts(condition).get(written(self.study.modalities)) if condition.rate > 0 else None
        return np.ones((len(self.seeds), len(self.ids)), dtype=bool) if complete is None else ~complete

    @cached_property
    def constant(self) -> Array:
        """The constant predictor [seeds, N]: the median, or most frequent class, of the training labels."""
        if self.info.task == "regression":
            value = float(np.median(self._train_label))
        else:
            values, counts = np.unique(self._train_label, return_counts=True)
            value = float(values[counts.argmax()])
        return np.full((len(self.seeds), len(self.ids)), value)

    def constant_scores(self, metric: Metric, counted: Mask | None = None) -> Scores:
        """Return the score of the constant predictor on the utterances [seeds, N] that are counted, all by default."""
        if counted is not None:
            return self.scores(metric, self.constant, counted)
        if metric.name not in self._constant_scores:
            self._constant_scores[metric.name] = self.scores(metric, self.constant)
        return self._constant_scores[metric.name]

    def records(self) -> list[dict[str, Any]]:
        """Return the record of every cell, once each, with the checksum of its predictions."""
        read = map(read_cell, self.inputs.distinct_cells())
        return [{**record, "content": None if table is None else content_digest(table)} for record, table in read]
