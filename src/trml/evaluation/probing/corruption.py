"""Modalities that are there and wrong: how scores fall as they get worse, beside a modality that is absent.

The vectors of the test utterances are changed, since methods see vectors. Methods are those trained on complete data,
and those trained with that modality missing at the study's rate: does training for absence help against what is wrong?

    noise       Gaussian noise, its standard deviation in units of the vectors' own
    blur        each step becomes the mean of it and its neighbours
    shuffled    the steps of each utterance in random order
    wrong       a share of the utterances have the modality of another one
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.base.progress import track
from trml.evaluation.contract import NOTHING, ProbeInputs
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.predictions import SPLIT, Evaluation
from trml.evaluation.schemas import CORRUPTION
from trml.features.contract import TOKENS, FeatureSet, View
from trml.missing.modalities import written
from trml.seeding import generator
from trml.training.again import Changed
from trml.training.contract import Cell

_Rng = np.random.Generator


def noise(view: View, level: float, rng: _Rng, _: NDArray[np.int64]) -> View:
    """Return the vectors with Gaussian noise of `level` times their own spread."""
    spread = view.values[view.mask].std(axis=0)
    drawn = rng.standard_normal(view.values.shape, dtype=np.float32)
    return View((view.values + level * spread * drawn) * view.mask[..., None], view.mask)


def blur(view: View, level: float, _: _Rng, __: NDArray[np.int64]) -> View:
    """Return each step as the mean of those that lie at most `level` steps away."""
    steps = np.arange(view.mask.shape[1])
    near = (np.abs(np.subtract.outer(steps, steps)) <= level) & view.mask[:, None, :]
    weights = near / np.maximum(near.sum(axis=2, keepdims=True), 1)
    return View((weights @ view.values).astype(np.float32) * view.mask[..., None], view.mask)


def shuffled(view: View, _: float, rng: _Rng, __: NDArray[np.int64]) -> View:
    """Return the steps of each utterance in random order, its masked ones at the end as before."""
    order = np.argsort(np.where(view.mask, rng.random(view.mask.shape), 2.0), axis=1, kind="stable")
    masked_last = np.take_along_axis(view.mask, order, axis=1)
    return View(np.take_along_axis(view.values, order[..., None], axis=1), masked_last)


def wrong(view: View, _: float, __: _Rng, partner: NDArray[np.int64]) -> View:
    """Return each utterance with what its partner has."""
    return View(view.values[partner], view.mask[partner])


@dataclass(frozen=True)
class Corruption:
    """One way to be wrong, at its levels. `sequences`: whether it does anything to steps alone."""

    change: Callable[[View, float, _Rng, NDArray[np.int64]], View]
    levels: tuple[float, ...]
    sequences: bool = False


CORRUPTIONS = {
    "noise": Corruption(noise, (0.5, 1.0, 2.0)),
    "wrong": Corruption(wrong, (0.25, 0.5, 1.0)),
    "blur": Corruption(blur, (1.0,), sequences=True),
    "shuffled": Corruption(shuffled, (1.0,), sequences=True),
}


def corrupted(features: FeatureSet, modality: str, name: str, level: float, seed: int) -> dict[str, View]:
    """Return the views of one modality of the test utterances, changed.

    Args:
        features: Of the corpus.
        modality: Which is wrong.
        name: How, of CORRUPTIONS.
        level: How much.
        seed: The experiment's.
    """
    rows = features.rows(SPLIT)
    partner = np.arange(len(rows))
    if name == "wrong":
        # As masks are: the utterances of a lower level are among those of a higher one.
        chosen = generator(seed, "wrong partner", modality).permutation(len(rows))[: round(level * len(rows))]
        partner[chosen] = np.roll(chosen, 1)
    return {
        each: CORRUPTIONS[name].change(
            View(np.array(view.values[rows]), np.array(view.mask[rows])),
            level,
            generator(seed, "corruption", name, each),
            partner,
        )
        for each, view in features.named_views().items()
        if each.removesuffix(TOKENS) == modality
    }


def corruption(inputs: ProbeInputs, evaluation: Evaluation, features: FeatureSet, device: torch.device) -> pl.DataFrame:
    """Return the rows of corruption.parquet; empty unless the experiment asks for further analyses."""
    study = evaluation.study
    if not inputs.analyses:
        return pl.DataFrame(schema=CORRUPTION)
    points = [
        (modality, name, level)
        for modality, (name, each) in product(study.single_victims, CORRUPTIONS.items())
        for level in each.levels
        if not each.sequences or features.signals[modality].mask.shape[1] > 1
    ]
    changed = Changed.of(features, device, [corrupted(features, *point, study.seed) for point in points])
    rows: list[dict[str, Any]] = []
    every = [(m, t) for m in study.methods if not m.single for t in (NOTHING, *study.single_victims)]
    for method, trained in track(every, len(every), "trainings run on wrong modalities"):
        cells = evaluation.trained_on(method, trained, study.study_training_rate)
        wanted = [i for i, (modality, _, _) in enumerate(points) if trained in (NOTHING, modality)]
        if cells and not np.isnan(evaluation.all_predicted_with(cells, written(study.modalities))).any():
            made = [changed.predicted(cell, inputs.settings, wanted) for cell in cells]
            predictions = np.array(made, dtype=float)
            rows += _rows(evaluation, method.name, trained, cells, [points[i] for i in wanted], predictions)
    return pl.DataFrame(rows, schema=CORRUPTION)


def _rows(
    evaluation: Evaluation,
    method: str,
    trained: str,
    cells: list[Cell],
    points: list[tuple[str, str, float]],
    predictions: Array,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one training: as it is, with each modality wrong, and with it absent."""
    modalities, metric = evaluation.study.modalities, evaluation.primary
    about = {"method": method, "trained": trained}
    for modality in dict.fromkeys(modality for modality, _, _ in points):
        for name, present in (("clean", set(modalities)), ("absent", set(modalities) - {modality})):
            score = evaluation.scores(metric, evaluation.all_predicted_with(cells, written(present)))
            yield {**about, "modality": modality, "corruption": name, "level": 0.0, **score.columns()}
    for i, (modality, name, level) in enumerate(points):
        score = evaluation.scores(metric, predictions[:, i])
        yield {**about, "modality": modality, "corruption": name, "level": level, **score.columns()}
