"""The choice on dev: the lowest mean dev loss of a method's trials."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import ttest_rel

from helpers.stored import write_cell
from trml.base.errors import StoreError
from trml.training.contract import Cell, CellSpec, Outcome, Predicted, Trial
from trml.training.selection import against, choose

RATES = (0.001, 0.002, 0.005)


def trials(folder: Path) -> dict[str, dict[str, Trial]]:
    """Return three trials of two methods, each trained with either modality missing."""

    def cell(method: str, rate: float, missing: str) -> Cell:
        spec = CellSpec(method, "default", "x.Y", {"learning_rate": rate}, missing, 0.5, 0.5, 1001)
        return Cell(spec, f"{method}{rate}{missing}", folder)

    return {
        method: {
            f"trial-{i}": Trial({"learning_rate": rate}, [cell(method, rate, m) for m in ("vision", "text")])
            for i, rate in enumerate(RATES)
        }
        for method in ("one", "two")
    }


def fill(cells, loss_of):
    """Put trainings into the store, with the best dev losses that `loss_of(cell)` says; None: it failed."""
    for cell in cells:
        loss = loss_of(cell)
        losses = [9.0] if loss is None else [loss + 1, loss, loss + 0.5]
        history = [{"epoch": i, "train_loss": 1.0, "dev_loss": dev} for i, dev in enumerate(losses)]
        outcome = Outcome({("test", "text"): Predicted(np.zeros(1, dtype=np.float32))}, history, 1, {}, 0)
        failed = replace(outcome, predictions={}, failed="the training loss was nan in epoch 0")
        write_cell(cell, failed if loss is None else outcome, {"test": ["a"]})


def cells_of(searched):
    return [cell for of_method in searched.values() for trial in of_method.values() for cell in trial.cells]


def test_the_lowest_mean_dev_loss_is_chosen(tmp_path):
    searched = trials(tmp_path)

    def loss_of(cell):
        rate = cell.spec.options["learning_rate"]
        if cell.spec.method == "one" and rate == 0.002:
            return 0.1
        return (0.5 if cell.spec.missing == "vision" else 0.7) + rate

    fill(cells_of(searched), loss_of)
    chosen = choose(searched)
    assert list(chosen) == ["one", "two"]
    assert chosen["one"] == {
        "trials": 3, "as_good": 3, "dev_loss": 0.1, "median_dev_loss": 0.601, "options": {"learning_rate": 0.002},
    }  # fmt: skip
    assert chosen["two"]["options"] == {"learning_rate": 0.001}
    assert chosen["two"]["dev_loss"] == pytest.approx(0.601)


def test_a_trial_with_a_failed_training_is_never_chosen(tmp_path):
    searched = trials(tmp_path)
    fill(
        cells_of(searched),
        lambda c: None if (c.spec.options["learning_rate"], c.spec.missing) == (0.001, "text") else 0.5,
    )
    assert choose(searched)["one"]["options"] == {"learning_rate": 0.002}


def test_trials_within_the_interval_are_as_good(tmp_path):
    """By the paired test of scipy: a small steady difference is one, a larger one that comes and goes is not."""
    searched = trials(tmp_path)
    losses = {
        (0.001, "vision"): 0.5, (0.001, "text"): 0.7,
        (0.002, "vision"): 0.5101, (0.002, "text"): 0.7102,
        (0.005, "vision"): 0.9, (0.005, "text"): 0.71,
    }  # fmt: skip
    fill(cells_of(searched), lambda cell: losses[cell.spec.options["learning_rate"], cell.spec.missing])
    assert choose(searched)["one"]["as_good"] == 2
    assert yaml.safe_load(yaml.safe_dump(choose(searched))) == choose(searched)
    best, steady, unsteady = ([losses[rate, m] for m in ("vision", "text")] for rate in RATES)
    for rate, other in ((0.002, steady), (0.005, unsteady)):
        low, high = ttest_rel(other, best).confidence_interval(0.95)
        expected = f"{np.mean(np.subtract(other, best)):.4f} [{low:.4f}, {high:.4f}] higher"
        assert against(searched, {"one": {"options": {"learning_rate": rate}}}) == [
            f"one: the dev loss of what was chosen before is {expected}"
        ]
    assert against(searched, {"one": {"options": {"learning_rate": 0.001}}}) == []
    assert against(searched, {"two": {"options": {"learning_rate": 0.3}}}) == [
        "two: what was chosen before is no trial of this search"
    ]


def test_an_absent_training_is_named_with_what_to_do(tmp_path):
    with pytest.raises(StoreError, match=r"one0.001vision is absent: a training of the search on dev. .*make search"):
        choose(trials(tmp_path))
