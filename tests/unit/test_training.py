"""The grid trainer: against the plain loop, the same bytes in any company, blind to what is masked."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch

from conftest import SETTINGS, made_features
from trml.config.params import Params
from trml.methods.zero_fill import ZeroFill
from trml.planning.plan import Cell
from trml.training.data import load_data
from trml.training.reference import train_one
from trml.training.schedule import Course, batch_rows, learning_rate
from trml.training.stack_run import Chunk, Outcome
from trml.training.trainer import train

CPU = torch.device("cpu")


class Peeking(ZeroFill):
    """A method that reads what the protocol took away."""

    def forward(self, batch):
        return super().forward(batch._replace(text_present=torch.ones_like(batch.text_present)))


def cell(params: Params, method: str, victim=None, rate=0.0, seed=2020, hidden=8, **moved) -> Cell:
    config = params.methods[method]
    options = {k: v for k, v in config.options.items() if k != "learning_rate"}  # that of the settings serves all
    options |= {"hidden": hidden, **moved}
    return Cell(method, "default", config.target, options, victim, rate, seed, f"{method}{victim}{rate}{seed}{moved}")


def run(cells: list[Cell], features, settings=SETTINGS, **options) -> dict[str, Outcome]:
    found = {}
    train(cells, features, settings, CPU, lambda c, outcome: found.__setitem__(c.digest, outcome), **options)
    return found


MOVED = {  # options that may differ between the cells of a stack, moved
    "trml": [{}, {"temperature": 0.5, "weight": 0.3}, {"alpha": 0.2, "beta": 0.0}, {}],
    "mfm": [{}, {"reconstruction": 1.0}, {"mmd": 0.0}, {"surrogate": 0.3}],
    "smil": [{}, {"inner_rate": 0.1}, {"feature_weight": 0.5}, {"hidden_weight": 0.3}],
}


def cells_of(params: Params, method: str, hidden: int = 8) -> list[Cell]:
    """Four cells of a method that differ in all that may differ within a stack."""
    needs = "victim" in params.methods[method].depends_on
    moved = MOVED.get(method, [{}] * 4)
    made = [("vision", 0.5, 2020), ("text", 0.5, 2021), ("vision", 1.0, 2020), ("text" if needs else None, 0.0, 2022)]
    return [cell(params, method, *protocol, hidden=hidden, **m) for protocol, m in zip(made, moved, strict=True)]


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


def test_every_configured_method_is_tested_here(params):
    assert set(METHODS) == set(params.methods)


@pytest.mark.parametrize("classes", [0, 3], ids=["regression", "classes"])
@pytest.mark.parametrize("method", METHODS)
def test_many_agree_with_a_plain_loop_of_one(params, method, classes):
    features = made_features(classes=classes)
    cells = cells_of(params, method)
    together = run(cells, features, dtype=torch.float64)
    for c in cells:
        alone = train_one(c, features, SETTINGS, dtype=torch.float64)
        ours = together[c.digest]
        assert ours.best_epoch == alone.best_epoch
        assert ours.predictions.keys() == alone.predictions.keys()
        for key, values in alone.predictions.items():
            np.testing.assert_allclose(ours.predictions[key], values, atol=1e-4)
        for mine, theirs in zip(ours.history, alone.history, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-6)
        for name, value in alone.state.items():
            torch.testing.assert_close(ours.state[name], value, rtol=1e-6, atol=1e-8)


def same(mine: Outcome, theirs: Outcome) -> bool:
    """Whether two outcomes are the same bytes."""
    return (
        mine.history == theirs.history
        and mine.failed == theirs.failed
        and mine.state.keys() == theirs.state.keys()
        and all(torch.equal(mine.state[name], value) for name, value in theirs.state.items())
        and mine.predictions.keys() == theirs.predictions.keys()
        and all((mine.predictions[key] == values).all() for key, values in theirs.predictions.items())
    )


@pytest.mark.parametrize("hidden", [8, 13, 64])
@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_alone_and_in_any_company(params, method, hidden):
    features = made_features()
    cells = cells_of(params, method, hidden)
    for settings in (SETTINGS, replace(SETTINGS, chunk=None)):
        together, backwards = run(cells, features, settings), run(cells[::-1], features, settings)
        for c in cells:
            alone = run([c], features, settings)[c.digest]
            assert same(together[c.digest], alone)
            assert same(backwards[c.digest], alone)


@pytest.mark.parametrize("d", [8, 64])
def test_same_bytes_in_a_stack_of_any_size(params, d):
    """What lets finished cells leave, and chunks have the size that suits the machine."""
    features = made_features(d=d)
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i, hidden=d) for i in range(20)]
    alone = run(cells[:1], features)[cells[0].digest]
    for size in (2, 3, 4, 5, 7, 8, 11, 15, 16, 20):
        for c in (cells[:size], cells[:size][::-1]):
            assert same(run(c, features, replace(SETTINGS, chunk=size))[cells[0].digest], alone), size


def test_finished_cells_leave_and_change_nothing(params):
    """With a patience of one, cells end at different epochs, so the stack shrinks on the way."""
    features, settings = made_features(), replace(SETTINGS, epochs=12, patience=1, chunk=8, learning_rate=0.03)
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(8)]
    left = []
    train(cells, features, settings, CPU, lambda c, outcome: left.append((c, outcome)))
    lengths = [len(outcome.history) for _, outcome in left]
    assert len(set(lengths)) > 1
    for c, outcome in left:
        assert same(run([c], features, settings)[c.digest], outcome)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_sees_a_masked_value(params, method):
    features = made_features()
    cells = cells_of(params, method)
    for c, zeros in run(cells, features).items():
        nans = run(cells, features, fill=float("nan"))[c]
        assert nans.history == zeros.history
        for key, values in zeros.predictions.items():
            assert np.isfinite(values).all()
            assert (nans.predictions[key] == values).all()


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("method", METHODS)
def test_training_stays_finite_where_frames_are_lost(params, method, frames):
    """Clips of one frame too, classes, and values that are not there hold NaN."""
    features, settings = made_features(frames=frames, classes=3), replace(SETTINGS, epochs=1)
    cells = [cell(params, method, "frames", rate) for rate in (0.3, 1.0)]
    for outcome in run(cells, features, settings, fill=float("nan")).values():
        assert outcome.failed is None
        assert all(np.isfinite(values).all() for values in outcome.predictions.values())


def test_a_method_that_peeks_is_caught(params):
    """The NaN test can fail: a method that reads the raw batch turns its loss to NaN."""
    peeking = replace(cell(params, "zero_fill", "text", 0.5), target="test_training.Peeking")
    outcome = run([peeking], made_features(), fill=float("nan"))[peeking.digest]
    assert outcome.failed == "the training loss was nan in epoch 0"


def test_training_learns(params):
    features = made_features(n=300)
    settings = replace(SETTINGS, epochs=15, patience=15)
    label = features.index["label"].to_numpy()[features.rows("test")]
    for c, outcome in run(
        [cell(params, "trml", "vision", 0.5), cell(params, "trml", "text", 0.5)], features, settings
    ).items():
        errors = np.abs(outcome.predictions["test", "complete"] - label).mean()
        assert errors < 0.6 * np.abs(label - np.median(label)).mean(), c


def test_selection_never_sees_test_labels(params):
    features = made_features()
    index = features.index.with_columns(label=-features.index["label"])
    rows = features.rows("test")
    swapped = features.index["label"].to_numpy().copy()
    swapped[rows] = index["label"].to_numpy()[rows]
    other = replace(features, index=features.index.with_columns(label=swapped))
    c = cell(params, "trml", "vision", 0.5)
    mine, theirs = run([c], features)[c.digest], run([c], other)[c.digest]
    assert mine.history == theirs.history
    assert all((theirs.predictions[k] == v).all() for k, v in mine.predictions.items())


def test_conditions_of_a_cell(params):
    assert {p for _, p in run([cell(params, "trml", "text", 0.5)], made_features()).popitem()[1].predictions} == {
        "complete",
        "text_missing",
    }
    complete = run([cell(params, "supervised_double")], made_features()).popitem()[1].predictions
    frames = {("test", f"frames@{rate}") for rate in (0.1, 0.3, 0.5, 0.7, 0.9)}
    assert set(complete) == {*product(("valid", "test"), ("complete", "vision_missing", "text_missing")), *frames}


def test_matched_single_has_the_parameters_of_trml(params):
    def size(c):
        return sum(v.numel() for v in run([c], made_features()).popitem()[1].state.values())

    target = size(cell(params, "trml", "text", 0.5))
    for victim in ("text", "vision"):
        assert (
            abs(size(cell(params, "supervised_single_matched", victim)) - target) <= 10
        )  # one unit of its head: 8 + 1 + 1


def test_a_chunk_of_fixed_shape_idles_where_others_shrink(params):
    """What runs on a GPU, where kernels are chosen by shape, run here."""
    features, settings = made_features(), replace(SETTINGS, epochs=12, patience=1, learning_rate=0.03)
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(5)]
    chunk = Chunk(cells, features, load_data(features, CPU, torch.float32), settings, shape=9)
    left = list(chunk.fit(lambda: None))
    expected = run(cells, features, settings)
    assert len({len(outcome.history) for _, outcome in left}) > 1
    assert all(same(outcome, expected[c.digest]) for c, outcome in left)


def test_a_chunk_knows_what_memory_a_cell_takes(params):
    features = made_features()
    data = load_data(features, CPU, torch.float32)
    small, large = (
        Chunk([cell(params, "trml", "vision", 0.5, hidden=hidden)], features, data, SETTINGS).bytes_a_cell()
        for hidden in (8, 64)
    )
    assert 4 * 6 * 1000 < small < large / 4


def test_a_training_that_diverges_fails_alone(params):
    """One of a stack gets an infinite loss: it ends with its reason, and the bits of the others stay."""
    features = made_features()
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(3)]
    cells[1] = cell(params, "trml", "vision", 0.5, 2021, weight=float("inf"))
    alone = {c.digest: run([c], features)[c.digest] for c in cells}
    for c, outcome in run(cells, features).items():
        assert same(outcome, alone[c]) or outcome.failed
    failed = alone[cells[1].digest]
    assert failed.failed in ("the training loss was inf in epoch 0", "the training loss was nan in epoch 0")
    assert (failed.predictions, failed.state) == ({}, {})
    assert train_one(cells[1], features, SETTINGS, dtype=torch.float32).failed == failed.failed


def test_each_cell_has_its_own_learning_rate(params):
    features = made_features()
    cells = [cell(params, "zero_fill", "vision", 0.5, 2020), cell(params, "zero_fill", "vision", 0.5, 2020)]
    cells[1] = replace(cells[1], options={**cells[1].options, "learning_rate": 0.0005}, digest="slower")
    together = run(cells, features, dtype=torch.float64)
    for c in cells:
        alone = train_one(c, features, SETTINGS, dtype=torch.float64)
        assert together[c.digest].history[-1] == pytest.approx(alone.history[-1], rel=1e-6)
        assert same(run([c], features)[c.digest], run(cells, features)[c.digest])
    slower = run([cells[0]], features, replace(SETTINGS, learning_rate=0.0005), dtype=torch.float64)
    assert slower[cells[0].digest].history == [pytest.approx(h, rel=1e-9) for h in together["slower"].history]


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
