"""What every training follows: batch orders, learning rates, early stopping, divergence."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from trml.training.schedule import Course, batch_rows, batches, learning_rate, losses_so_far, usable


def everything(n: int) -> np.ndarray:
    return np.ones(n, dtype=bool)


def of_one_length(n: int) -> np.ndarray:
    return np.zeros(n, dtype=np.int64)


def test_batch_order_is_a_partition_shared_by_a_seed():
    rest = everything(50), of_one_length(50), 16
    rows, longest = batch_rows(1, 3, 0, 2020, *rest)
    assert rows.shape == (3, 16)
    assert longest.tolist() == [0, 0, 0]
    assert len(np.unique(rows)) == 48
    assert (rows == batch_rows(1, 3, 0, 2020, *rest)[0]).all()
    assert (rows != batch_rows(1, 4, 0, 2020, *rest)[0]).any()
    assert (rows != batch_rows(1, 3, 1, 2020, *rest)[0]).any()
    assert batch_rows(1, 0, 0, 2020, everything(5), of_one_length(5), 16)[0].shape == (1, 5)


def test_a_pass_over_some_rows_keeps_their_order():
    whole = batch_rows(1, 3, 0, 2020, everything(50), of_one_length(50), 50)[0][0]
    some = np.arange(50) % 3 == 0
    assert (batch_rows(1, 3, 0, 2020, some, of_one_length(50), 50)[0][0] == whole[some[whole]]).all()
    assert batch_rows(1, 3, 0, 2020, ~everything(50), of_one_length(50), 16)[0].shape == (0, 0)


LENGTHS = np.random.default_rng(0).choice(4, size=300, p=[0.2, 0.5, 0.25, 0.05])


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_batches_are_of_about_one_length(share):
    """Rows fit into their batch, none comes twice, the left out are not the short or the long ones in particular."""
    some = np.random.default_rng(1).random(300) < share
    left_out = np.zeros(300)
    for epoch in range(200):
        rows, longest = batch_rows(1, epoch, 0, 2020, some, LENGTHS, 16)
        assert (LENGTHS[rows] <= longest[:, None]).all()
        assert some[rows].all()
        assert len(np.unique(rows)) == rows.size == some.sum() // 16 * 16
        left_out[np.setdiff1d(np.flatnonzero(some), rows)] += 1
    often = left_out[some] / 200
    np.testing.assert_allclose(often, some.sum() % 16 / some.sum(), atol=0.13)
    assert share < 1 or longest.mean() < 0.6 * LENGTHS.max()


def test_cells_have_batches_of_the_same_lengths():
    """So that they can be trained as one, though each lacks modalities in other utterances."""
    rng = np.random.default_rng(1)
    choices = [np.isin(np.arange(300), rng.choice(300, size=150, replace=False)) for _ in range(50)]
    assert len({str(batch_rows(1, 5, 0, seed, some, LENGTHS, 16)[1]) for seed, some in enumerate(choices)}) == 1
    epochs = {str(batch_rows(1, epoch, 0, 2020, choices[0], LENGTHS, 16)[1]) for epoch in range(5)}
    assert len(epochs) == 5  # their turns change


def test_a_choice_that_does_not_fit_has_batches_of_its_own():
    """As where complete utterances are the long ones."""
    _, common = batches(np.isin(np.arange(300), np.arange(0, 300, 2)), LENGTHS, 16)
    long = np.argsort(-LENGTHS, kind="stable")[:150]
    _, own = batches(np.isin(np.arange(300), long), LENGTHS, 16)
    assert own.sum() > common.sum()
    assert own.tolist() == LENGTHS[long][:144:16].tolist()


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
