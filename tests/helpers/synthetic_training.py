"""Cells of the configured methods at a small size, and their training on synthetic features."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.synthetic_features import PAIR, SETTINGS
from trml.config.params import Params
from trml.features.contract import FeatureSet
from trml.training.contract import Cell, CellSpec, Outcome, Predicted, Settings
from trml.training.new_method import method_class
from trml.training.reference import train_one
from trml.training.trainer import train

CPU = torch.device("cpu")
NOWHERE = Path("nowhere")
METHODS = [
    "trml",
    "supervised_single",
    "supervised_single_matched",
    "zero_fill",
    "modal_trans",
    "mm_align",
    "mean_fill",
    "learned_token",
    "mfm",
    "smil",
    "supervised_double",
]
MOVED: dict[str, list[dict[str, float]]] = {  # options that may differ between the cells of a stack, moved
    "trml": [{}, {"temperature": 0.5, "weight": 0.3}, {"alpha": 0.2, "beta": 0.0}, {}],
    "mfm": [{}, {"reconstruction": 1.0}, {"mmd": 0.0}, {"surrogate": 0.3}],
    "smil": [{}, {"inner_rate": 0.1}, {"feature_weight": 0.5}, {"hidden_weight": 0.3}],
}


def bare_cell(
    target: str,
    options: dict[str, Any],
    missing: str | None = None,
    rate: float = 0.0,
    seed: int = 2020,
    dev_rate: float | None = None,
) -> Cell:
    """Return a cell of any class, under a digest that tells its arguments apart."""
    dev_rate = rate if dev_rate is None else dev_rate
    spec = CellSpec(target.rpartition(".")[2].lower(), "default", target, options, missing, rate, dev_rate, seed)
    return Cell(spec, f"{target}{missing}{rate}{dev_rate}{seed}{options}", NOWHERE)


def cell(
    params: Params,
    method: str,
    missing: str | None = None,
    rate: float = 0.0,
    seed: int = 2020,
    hidden: int = 8,
    **moved: Any,
) -> Cell:
    """Return a cell of a configured method, some of its options moved."""
    config = params.methods[method]
    options = {k: v for k, v in config.options.items() if k != "learning_rate"}  # that of the settings serves all
    return bare_cell(config.target, {**options, "hidden": hidden, **moved}, missing, rate, seed)


def under(cell: Cell, **protocol: Any) -> Cell:
    """Return the cell under another protocol: `labels`, `label_noise`, `absence`, `weighted`."""
    return replace(cell, spec=replace(cell.spec, **protocol), digest=f"{cell.digest}{protocol}")


def cells_of(params: Params, method: str, hidden: int = 8, modalities: tuple[str, ...] = PAIR) -> list[Cell]:
    """Return four cells of a method that differ in all that may differ within a stack."""
    needs = method_class(params.methods[method].target).shaped_by_missing
    first, second = modalities[-1], modalities[0]
    asked = [(first, 0.5, 2020), (second, 0.5, 2021), (first, 1.0, 2020), (second if needs else None, 0.0, 2022)]
    moved = MOVED.get(method, [{}] * 4)
    return [cell(params, method, *protocol, hidden, **m) for protocol, m in zip(asked, moved, strict=True)]


def skip_unless_defined(params: Params, method: str, modalities: tuple[str, ...]) -> None:
    """Skip a test of a method that is not defined for so many modalities."""
    target = method_class(params.methods[method].target)
    if target.modalities not in (None, len(modalities)):
        pytest.skip(f"{method} is defined for {target.modalities} modalities")


def by_digest(left: Sequence[tuple[Cell, Outcome]]) -> dict[str, Outcome]:
    """Return what cells left by their digests."""
    return {c.digest: outcome for c, outcome in left}


def run(
    cells: Sequence[Cell], features: FeatureSet, settings: Settings = SETTINGS, **options: Any
) -> dict[str, Outcome]:
    """Train cells on the CPU; return what they left by digest."""
    outcomes: dict[str, Outcome] = {}
    train(
        cells,
        features,
        settings,
        CPU,
        lambda left: outcomes.update(by_digest(left)),
        **options,
    )
    return outcomes


def run_one(cell: Cell, features: FeatureSet, settings: Settings = SETTINGS, **options: Any) -> Outcome:
    """Train one cell on the CPU."""
    return run([cell], features, settings, **options)[cell.digest]


def same(mine: Outcome, theirs: Outcome) -> bool:
    """Return whether two outcomes are the same bytes."""
    return (
        mine.history == theirs.history
        and mine.failed == theirs.failed
        and mine.weights.keys() == theirs.weights.keys()
        and all(np.array_equal(mine.weights[name], value) for name, value in theirs.weights.items())
        and mine.predictions.keys() == theirs.predictions.keys()
        and all(same_predictions(mine.predictions[key], values) for key, values in theirs.predictions.items())
    )


def weights_of(outcome: Outcome) -> dict[str, torch.Tensor]:
    """Return the weights that a training left, as torch loads them."""
    return {name: torch.from_numpy(value) for name, value in outcome.weights.items()}


def same_predictions(mine: Predicted, theirs: Predicted) -> bool:
    """Return whether two predictions are the same bytes."""
    return all((a is None and b is None) or np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def agree_with_a_plain_loop(
    together: Mapping[str, Outcome], cells: Sequence[Cell], features: FeatureSet, settings: Settings = SETTINGS
) -> None:
    """Assert that histories and predictions, in fp64, are those of the plain trainer of one cell."""
    for c in cells:
        alone = train_one(c, features, settings, dtype=torch.float64)
        for mine, theirs in zip(together[c.digest].history, alone.history, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-6)
        for key, predicted in alone.predictions.items():
            np.testing.assert_allclose(together[c.digest].predictions[key].value, predicted.value, atol=1e-4)
