"""What every training follows: batch orders, learning rates, early stopping, divergence."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from trml.training.schedule import Course, batch_rows, learning_rate, losses_so_far, usable


def everything(n: int) -> np.ndarray:
    return np.ones(n, dtype=bool)


def test_batch_order_is_a_partition_shared_by_a_seed():
    rows = batch_rows(1, 3, 0, 2020, everything(50), 16)
    assert rows.shape == (3, 16)
    assert len(np.unique(rows)) == 48
    assert (rows == batch_rows(1, 3, 0, 2020, everything(50), 16)).all()
    assert (rows != batch_rows(1, 4, 0, 2020, everything(50), 16)).any()
    assert (rows != batch_rows(1, 3, 1, 2020, everything(50), 16)).any()
    assert batch_rows(1, 0, 0, 2020, everything(5), 16).shape == (1, 5)


def test_a_pass_over_some_rows_keeps_their_order():
    whole = batch_rows(1, 3, 0, 2020, everything(50), 50)[0]
    some = np.arange(50) % 3 == 0
    assert (batch_rows(1, 3, 0, 2020, some, 50)[0] == whole[some[whole]]).all()
    assert batch_rows(1, 3, 0, 2020, ~everything(50), 16).shape == (0, 0)


def test_complete_is_who_has_something_of_every_modality():
    present = {
        "text": np.array([[True], [True], [False]]),
        "vision": np.array([[False, True], [False, False], [True, True]]),
        "audio": np.array([[True], [True], [True]]),
    }
    assert usable("all", everything(3), present).tolist() == [True, True, True]
    assert usable("complete", everything(3), present).tolist() == [True, False, False]
    assert usable("incomplete", everything(3), present).tolist() == [False, True, True]
    of_draw = np.array([True, True, False])
    assert usable("all", of_draw, present).tolist() == [True, True, False]
    assert usable("incomplete", of_draw, present).tolist() == [False, True, False]


def test_learning_rate_warms_up_then_falls_to_zero():
    values = [learning_rate(1.0, epoch, step, 10, 5) for epoch in range(5) for step in range(10)]
    assert values[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert all(a >= b for a, b in pairwise(values[9:]))
    assert values[-1] < 0.01


def test_early_stopping():
    course = Course(epochs=10, patience=2, history=[])
    assert [course.update(1.0, v) for v in (3.0, 2.0, 2.5, 2.0)] == [True, True, False, False]
    assert course.finished
    assert (course.best, course.best_epoch, course.failed) == (2.0, 1, None)
    course = Course(epochs=2, patience=2, history=[])
    assert [course.update(1.0, 2.0), course.finished, course.update(1.0, 1.0), course.finished] == [
        True, False, True, True,
    ]  # fmt: skip


def test_a_loss_that_is_not_finite_ends_a_training():
    for losses, reason in (((float("nan"), 1.0), "training loss was nan"), ((1.0, float("inf")), "dev loss was inf")):
        course = Course(epochs=10, patience=2, history=[])
        course.update(1.0, 2.0)
        assert not course.update(*losses)
        assert course.finished
        assert course.failed == f"the {reason} in epoch 1"


def test_losses_to_come_are_nan():
    ran, new = Course(epochs=3, patience=2, history=[]), Course(epochs=3, patience=2, history=[])
    ran.update(1.0, 2.0)
    ran.update(0.5, 1.5)
    losses = losses_so_far([ran, new], torch.float64)
    assert losses.shape == (2, 3, 2)
    assert losses[0, :2].tolist() == [[1.0, 2.0], [0.5, 1.5]]
    assert losses[0, 2].isnan().all()
    assert losses[1].isnan().all()
