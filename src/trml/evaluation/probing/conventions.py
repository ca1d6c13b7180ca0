"""The same trainings scored as others do it: what each convention of the field is worth.

Here the epoch is chosen on dev, a score is the mean over seeds, and masks are drawn once for all methods. Published
scores are often those of the epoch or the seed that is best on test, of each metric by itself, or of masks that are
drawn anew at test or for a batch at a time. This is the only place that looks at test scores to choose something, to
show what that does.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import torch

from trml.base.progress import track
from trml.evaluation.contract import OURS, ProbeInputs
from trml.evaluation.metrics.common.metric import Array, Mask, Metric
from trml.evaluation.predictions import SPLIT, Evaluation
from trml.evaluation.schemas import CONVENTIONS
from trml.features.contract import FeatureSet
from trml.missing.conditions import Condition
from trml.missing.modalities import written
from trml.seeding import generator
from trml.training.again import by_epoch
from trml.training.contract import Cell
from trml.training.store import read_cell

DRAWS = 20  # of masks


def conventions(
    inputs: ProbeInputs, evaluation: Evaluation, features: FeatureSet, device: torch.device
) -> pl.DataFrame:
    """Return the rows of conventions.parquet; empty unless the experiment asks for further analyses."""
    study, rows = evaluation.study, list[dict[str, Any]]()
    for victim in study.single_victims if inputs.analyses and study.proposed else ():
        assert study.proposed is not None
        cells = evaluation.trained_with(study.proposed.name, victim, study.study_training_rate) or []
        records = [read_cell(cell)[0] for cell in cells]
        if cells and not any(record["failed"] for record in records):
            best, made = _made(inputs, evaluation, cells, features, victim, device)
            rows += _rows(evaluation, victim, made, best, inputs.settings.batch_size)
    return pl.DataFrame(rows, schema=CONVENTIONS)


def _made(
    inputs: ProbeInputs,
    evaluation: Evaluation,
    cells: list[Cell],
    features: FeatureSet,
    victim: str,
    device: torch.device,
) -> tuple[list[int], list[tuple[Array, Array]]]:
    """Return each cell's best epoch on dev, and its predictions by epoch [epochs, N], complete and without the victim.

    The epoch is that of the repeated training: on a GPU, in a stack of another shape, it may be another one.
    """
    whole = set(evaluation.study.modalities)
    words = [written(whole), written(whole - {victim})]
    best, made = [], []
    for cell in track(cells, len(cells), f"trainings with {victim} missing, epoch by epoch"):
        epoch, of_cell = by_epoch([cell], features, inputs.settings, device, words)[cell.digest]
        complete, without = (evaluation.as_scored(np.stack(of_cell[word]).astype(float)) for word in words)
        best.append(epoch)
        made.append((complete, without))
    return best, made


def _rows(
    evaluation: Evaluation, victim: str, made: list[tuple[Array, Array]], best: list[int], batch_size: int
) -> Iterator[dict[str, Any]]:
    study = evaluation.study
    lost = evaluation.missing(Condition.matched(victim, study.study_rate))
    scored = {m.name: _by_epoch(m, evaluation, made, lost) for m in evaluation.metrics}
    primary = evaluation.primary
    anew = {
        "masks drawn anew": lambda i, draw: _anew(evaluation, victim, study.seeds[i], draw),
        "missing a batch at a time": lambda i, draw: _by_batch(evaluation, study.seeds[i], draw, batch_size),
    }
    for metric in evaluation.metrics:
        ours = float(np.mean([of[e] for of, e in zip(scored[metric.name], best, strict=True)]))
        values: dict[str, tuple[float, float | None]] = {OURS: (ours, None)}
        values |= {name: (value, None) for name, value in _chosen(metric, primary, scored, best).items()}
        for name, mask_of in anew.items():
            drawn = [
                float(np.mean([_score(metric, evaluation, made[i], best[i], mask_of(i, k)) for i in range(len(made))]))
                for k in range(DRAWS)
            ]
            values[name] = float(np.mean(drawn)), float(np.std(drawn, ddof=1))
        sign = 1 if metric.higher_is_better else -1
        for convention, (value, spread) in values.items():
            about = {"convention": convention, "victim": victim, "metric": metric.name}
            yield {**about, "value": value, "gain": sign * (value - ours), "spread": spread}


def _by_epoch(metric: Metric, evaluation: Evaluation, made: list[tuple[Array, Array]], lost: Mask) -> list[Array]:
    """Return the score of each seed after each epoch, [epochs]."""
    return [
        np.asarray(metric.score(evaluation.label, np.where(of_seed, without, complete)))
        for (complete, without), of_seed in zip(made, lost, strict=True)
    ]


def _score(metric: Metric, evaluation: Evaluation, made: tuple[Array, Array], epoch: int, lost: Mask) -> float:
    complete, without = made
    return float(metric.score(evaluation.label, np.where(lost, without[epoch], complete[epoch])))


def _chosen(metric: Metric, primary: Metric, scored: dict[str, list[Array]], best: list[int]) -> dict[str, float]:
    """Return the scores of epochs and seeds that are chosen otherwise."""

    def top(of: Metric) -> Callable[[Array], int]:
        return lambda values: int(np.argmax(values) if of.higher_is_better else np.argmin(values))

    mine = scored[metric.name]
    by_primary = [top(primary)(of) for of in scored[primary.name]]
    on_dev = np.array([of[e] for of, e in zip(mine, best, strict=True)])
    on_test = np.array([of[top(metric)(of)] for of in mine])
    return {
        "the last epoch": float(np.mean([of[-1] for of in mine])),
        f"the epoch with the best {primary.label} on test": float(
            np.mean([of[e] for of, e in zip(mine, by_primary, strict=True)])
        ),
        "the best epoch on test, of each metric": float(on_test.mean()),
        "the best seed on test": float(on_dev[top(metric)(on_dev)]),
        "the best seed and epoch on test, of each metric": float(on_test[top(metric)(on_test)]),
    }


def _anew(evaluation: Evaluation, victim: str, seed: int, draw: int) -> Mask:
    """Return which test utterances lack the victim in another draw of the masks."""
    study = evaluation.study
    corpus = f"{study.corpus}, draw {draw}"
    return study.pattern(victim).losing(corpus, SPLIT, seed, study.study_rate, len(evaluation.ids))[victim]


def _by_batch(evaluation: Evaluation, seed: int, draw: int, batch_size: int) -> Mask:
    """Return which test utterances lack the victim, where all of a batch lack it or none does."""
    n = len(evaluation.ids)
    batch = np.arange(n) // batch_size
    order = generator(seed, "missing a batch", evaluation.study.corpus, draw).permutation(batch[-1] + 1)
    return np.isin(batch, order[: round(evaluation.study.study_rate * len(order))])
