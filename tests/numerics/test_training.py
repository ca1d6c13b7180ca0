"""The stacked trainer: against the plain loop, the same bytes in any company, blind to what is masked."""

import os
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, in_two_draws, synthetic_features
from helpers.synthetic_training import (
    CPU,
    METHODS,
    agree_with_a_plain_loop,
    cell,
    cells_of,
    run,
    run_one,
    same,
    same_predictions,
    skip_unless_defined,
    under,
    weights_of,
)
from trml.methods.zero_fill import ZeroFill
from trml.missing.registry import missing_pattern
from trml.training.data import load_data
from trml.training.memory import bytes_a_cell, memory_a_core
from trml.training.reference import train_one
from trml.training.stack_run import StackRun
from trml.training.trainer import train

MODALITIES = pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])


class Peeking(ZeroFill):
    """A method that reads what the missing pattern took away."""

    def forward(self, batch):
        raw = {name: s._replace(mask=torch.ones_like(s.mask)) for name, s in batch.signals.items()}
        return super().forward(batch._replace(signals=raw))


def test_every_configured_method_is_tested_here(params):
    assert set(METHODS) == set(params.methods)


@pytest.mark.parametrize(
    ("classes", "modalities"), [(0, PAIR), (3, PAIR), (0, TRIPLE)], ids=["regression", "classes", "three"]
)
@pytest.mark.parametrize("method", METHODS)
def test_many_agree_with_a_plain_loop_of_one(params, method, classes, modalities):
    skip_unless_defined(params, method, modalities)
    features = synthetic_features(classes=classes, modalities=modalities)
    cells = cells_of(params, method, modalities=modalities)
    together = run(cells, features, dtype=torch.float64)
    for c in cells:
        alone = train_one(c, features, SETTINGS, dtype=torch.float64)
        ours = together[c.digest]
        assert (ours.best_epoch, ours.parameters) == (alone.best_epoch, alone.parameters)
        assert ours.predictions.keys() == alone.predictions.keys()
        for key, predicted in alone.predictions.items():
            np.testing.assert_allclose(ours.predictions[key].value, predicted.value, atol=1e-4)
            if classes:
                np.testing.assert_allclose(ours.predictions[key].probabilities, predicted.probabilities, atol=1e-4)
        for mine, theirs in zip(ours.history, alone.history, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-6)
        weights = weights_of(ours)
        for name, value in weights_of(alone).items():
            torch.testing.assert_close(weights[name], value, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("hidden", "settings"), [(13, replace(SETTINGS, chunk=None)), (64, SETTINGS)], ids=[13, 64])
@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_alone_and_in_any_company(params, method, hidden, settings):
    features = synthetic_features()
    cells = cells_of(params, method, hidden)
    together, backwards = run(cells, features, settings), run(cells[::-1], features, settings)
    for c in cells:
        alone = run_one(c, features, settings)
        assert same(together[c.digest], alone)
        assert same(backwards[c.digest], alone)


@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_in_any_company_with_three_modalities(params, method):
    skip_unless_defined(params, method, TRIPLE)
    features = synthetic_features(modalities=TRIPLE)
    cells = cells_of(params, method, modalities=TRIPLE)
    together = run(cells, features)
    assert all(same(together[c.digest], run_one(c, features)) for c in cells)


@pytest.mark.parametrize("d", [8, 64])
def test_same_bytes_in_a_stack_of_any_size(params, d):
    """What lets finished cells leave, and stacks have the size that suits the machine."""
    features = synthetic_features(d=d)
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i, hidden=d) for i in range(20)]
    alone = run_one(cells[0], features)
    for size in (2, 3, 4, 5, 7, 8, 11, 15, 16, 20):
        for c in (cells[:size], cells[:size][::-1]):
            assert same(run(c, features, replace(SETTINGS, chunk=size))[cells[0].digest], alone), size


def test_finished_cells_leave_and_change_nothing(params):
    """With a patience of one, cells end at different epochs, so the stack shrinks on the way."""
    features, settings = synthetic_features(), replace(SETTINGS, epochs=12, patience=1, chunk=8, learning_rate=0.03)
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(8)]
    left = []
    train(cells, features, settings, CPU, left.extend)
    lengths = [len(outcome.history) for _, outcome in left]
    assert len(set(lengths)) > 1
    for c, outcome in left:
        assert same(run_one(c, features, settings), outcome)


@MODALITIES
@pytest.mark.parametrize("method", METHODS)
def test_no_method_sees_a_masked_value(params, method, modalities):
    skip_unless_defined(params, method, modalities)
    features = synthetic_features(modalities=modalities)
    cells = cells_of(params, method, modalities=modalities)
    with_nans = run(cells, features, fill=float("nan"))
    for c, zeros in run(cells, features).items():
        nans = with_nans[c]
        assert nans.history == zeros.history
        for key, predicted in zeros.predictions.items():
            assert np.isfinite(predicted.value).all()
            assert same_predictions(nans.predictions[key], predicted)


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("method", METHODS)
def test_training_stays_finite_where_frames_are_lost(params, method, frames):
    """Clips of one frame too, classes, and values that are not there hold NaN."""
    features, settings = synthetic_features(frames=frames, classes=3), replace(SETTINGS, epochs=1)
    cells = [cell(params, method, "frames", rate) for rate in (0.3, 1.0)]
    for outcome in run(cells, features, settings, fill=float("nan")).values():
        assert outcome.failed is None
        for predicted in outcome.predictions.values():
            assert np.isfinite(predicted.value).all()
            assert np.isfinite(predicted.probabilities).all()


def test_a_method_that_peeks_is_caught(params):
    """The NaN test can fail: a method that reads the raw batch turns its loss to NaN."""
    c = cell(params, "zero_fill", "text", 0.5)
    peeking = replace(c, spec=replace(c.spec, target="test_training.Peeking"))
    outcome = run_one(peeking, synthetic_features(), fill=float("nan"))
    assert outcome.failed == "the training loss was nan in epoch 0"


@MODALITIES
def test_training_learns(params, modalities):
    features = synthetic_features(n=300, modalities=modalities)
    settings = replace(SETTINGS, epochs=15, patience=15)
    label = features.index["label"].to_numpy()[features.rows("test")]
    for missing in modalities:
        c = cell(params, "trml", missing, 0.5)
        predicted = run_one(c, features, settings).predictions["test", "+".join(modalities)]
        assert np.abs(predicted.value - label).mean() < 0.6 * np.abs(label - np.median(label)).mean(), missing


def test_selection_never_sees_test_labels(params):
    features = synthetic_features()
    index = features.index.with_columns(label=-features.index["label"])
    rows = features.rows("test")
    swapped = features.index["label"].to_numpy().copy()
    swapped[rows] = index["label"].to_numpy()[rows]
    other = replace(features, index=features.index.with_columns(label=swapped))
    c = cell(params, "trml", "vision", 0.5)
    assert same(run_one(c, features), run_one(c, other))


@pytest.mark.parametrize("classes", [0, 3], ids=["regression", "classes"])
@pytest.mark.parametrize("method", METHODS)
def test_other_protocols_and_a_draw_agree_with_a_plain_loop(params, method, classes):
    """Cells of one stack with labels and weights of their own, each on the training set that its seed says."""
    features = in_two_draws(synthetic_features(classes=classes))
    by_label = {"absence": "by_label", "weighted": True}
    protocols = ({"labels": 12}, by_label, {"label_noise": 0.4}, {"labels": 5})
    each = [under(c, **protocol) for c, protocol in zip(cells_of(params, method), protocols, strict=True)]
    together = run(each, features, dtype=torch.float64)
    agree_with_a_plain_loop(together, each, features)


def test_hidden_labels_and_other_draws_play_no_part(params):
    """Whatever stands in them, the bytes are the same; a label that is given is read."""
    features = in_two_draws(synthetic_features())
    c = under(cell(params, "trml", "vision", 0.5, seed=2021), labels=12)
    given = load_data(features, CPU, torch.float32).splits["train"].given_labels("synthetic", 12, 0.0, 2021)
    known = np.flatnonzero(~given.isnan().numpy())
    assert len(known) == 12
    assert set(features.index["draw"].to_numpy()[known]) == {1}
    train = features.rows("train")
    moved = features.index["label"].to_numpy().copy()
    moved[np.setdiff1d(train, train[known])] = 2.5
    assert same(run_one(c, features), run_one(c, replace(features, index=features.index.with_columns(label=moved))))
    moved[train[known[0]]] = 2.5
    assert not same(run_one(c, features), run_one(c, replace(features, index=features.index.with_columns(label=moved))))


def test_fewer_labels_are_among_more():
    train = load_data(in_two_draws(synthetic_features()), CPU, torch.float32).splits["train"]
    few, more = (~train.given_labels("synthetic", count, 0.0, 2020).isnan() for count in (5, 12))
    assert (few & more).sum() == 5
    assert not torch.equal(few, ~train.given_labels("synthetic", 5, 0.0, 2022).isnan())
    assert (~train.given_labels("synthetic", None, 0.0, 2020).isnan()).sum() == 30


def test_wrong_labels_change_places_among_the_given():
    train = load_data(in_two_draws(synthetic_features()), CPU, torch.float32).splits["train"]
    right, wrong = (train.given_labels("synthetic", 20, noise, 2020) for noise in (0.0, 0.5))
    assert torch.equal(right.isnan(), wrong.isnan())
    assert torch.equal(right.nan_to_num().sort().values, wrong.nan_to_num().sort().values)
    assert (right != wrong).logical_and(~right.isnan()).sum() == 10


def test_absence_by_label_takes_high_labels_of_train_and_dev():
    features = synthetic_features(n=600)
    data = load_data(features, CPU, torch.float32)
    vision = missing_pattern("vision", PAIR)
    for name in ("train", "valid"):
        split = data.splits[name]
        gone = {a: ~split.masked("synthetic", vision, 0.5, 2020, a)["vision"][:, 0] for a in ("by_chance", "by_label")}
        assert gone["by_chance"].sum() == gone["by_label"].sum() == round(0.5 * split.n)
        far = {a: split.label[torch.from_numpy(g)].mean() - split.label.mean() for a, g in gone.items()}
        assert far["by_label"] > 0.4 * split.label.std() > far["by_chance"]


def test_weights_make_complete_utterances_a_fair_sample_again():
    """The weighted mean label of those that are complete, and of those that are not, is that of all."""
    data = load_data(synthetic_features(n=4000), CPU, torch.float32)
    train = data.splits["train"]
    present = train.masked("synthetic", missing_pattern("vision", PAIR), 0.5, 2020, "by_label")
    weights, there = train.weights(present, 2020), torch.from_numpy(present["vision"][:, 0])
    assert not torch.equal(weights, torch.ones_like(weights))
    for part in (there, ~there):
        naive, weighted = train.label[part].mean(), (weights * train.label)[part].sum() / weights[part].sum()
        assert abs(weighted - train.label.mean()) < 0.3 * abs(naive - train.label.mean())
    whole = train.masked("synthetic", missing_pattern("vision", PAIR), 0.0, 2020, "by_label")
    assert torch.equal(train.weights(whole, 2020), torch.ones(train.n, dtype=torch.float64))


def test_an_option_can_shorten_a_training_and_not_lengthen_it(params):
    features = synthetic_features()
    lengths = [len(run_one(cell(params, "zero_fill", epochs=n), features).history) for n in (2, 3, 9)]
    assert lengths == [2, 3, 3]
    short, long = cell(params, "zero_fill", epochs=2), cell(params, "zero_fill", epochs=3)
    together = run([short, long], features)
    assert [len(together[c.digest].history) for c in (short, long)] == [2, 3]


def test_predictions_of_a_cell(params):
    """Every non-empty set of modalities on dev and test; lost frames on test where training lost them or nothing."""
    frames, stretch = ({("test", f"{name}@{rate / 10}") for rate in (1, 3, 5, 7, 9)} for name in ("frames", "stretch"))
    pairs = {*product(("valid", "test"), ("text+vision", "text", "vision"))}
    assert set(run_one(cell(params, "trml", "text", 0.5), synthetic_features()).predictions) == pairs
    for c, also in ((cell(params, "supervised_double"), stretch), (cell(params, "trml", "frames", 0.5), set())):
        assert set(run_one(c, synthetic_features()).predictions) == pairs | frames | also
    three = run_one(cell(params, "zero_fill", "text+audio", 0.5), synthetic_features(modalities=TRIPLE)).predictions
    assert {present for _, present in three} == {
        "text+vision+audio", "text+vision", "text+audio", "vision+audio", "text", "vision", "audio",
    }  # fmt: skip


def test_matched_single_has_the_parameters_of_trml(params):
    target = run_one(cell(params, "trml", "text", 0.5), synthetic_features()).parameters
    for missing in ("text", "vision"):
        matched = run_one(cell(params, "supervised_single_matched", missing), synthetic_features()).parameters
        assert abs(matched - target) <= 10  # one unit of its head: 8 + 1 + 1


def test_a_run_of_fixed_shape_idles_where_others_shrink(params):
    """What runs on a GPU, where kernels are chosen by shape, run here."""
    features, settings = synthetic_features(), replace(SETTINGS, epochs=12, patience=1, learning_rate=0.03)
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(5)]
    fixed = StackRun(cells, load_data(features, CPU, torch.float32), settings, shape=9)
    left = [each for together in fixed.train(lambda: None) for each in together]
    expected = run(cells, features, settings)
    assert len({len(outcome.history) for _, outcome in left}) > 1
    assert all(same(outcome, expected[c.digest]) for c, outcome in left)


def test_a_run_knows_what_memory_a_cell_takes(params):
    data = load_data(synthetic_features(), CPU, torch.float32)
    small, large = (
        bytes_a_cell(StackRun([cell(params, "trml", "vision", 0.5, hidden=hidden)], data, SETTINGS))
        for hidden in (8, 64)
    )
    assert 4 * 6 * 1000 < small < large / 4


def test_memory_is_what_a_container_or_cluster_job_may_have(tmp_path):
    whole = memory_a_core(tmp_path / "absent", tmp_path)
    membership, cores = tmp_path / "cgroup", len(os.sched_getaffinity(0))
    membership.write_text("4:memory:/outer/job\n1:cpu:/\n0::/slurm/job\n")
    limits = {"memory/outer/memory.limit_in_bytes": "9000000", "memory/outer/job/memory.limit_in_bytes": "8000000"}
    limits |= {"slurm/memory.max": "7000000", "slurm/job/memory.max": "max"}
    for path, limit in limits.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        assert memory_a_core(membership, tmp_path) <= whole
        (tmp_path / path).write_text(f"{limit}\n")
    assert memory_a_core(membership, tmp_path) == 7_000_000 / cores


def test_a_training_that_diverges_fails_alone(params):
    """One of a stack gets an infinite loss: it ends with its reason, and the bits of the others stay."""
    features = synthetic_features()
    cells = [cell(params, "trml", "vision", 0.5, 2020 + i) for i in range(3)]
    cells[1] = cell(params, "trml", "vision", 0.5, 2021, weight=float("inf"))
    alone = {c.digest: run_one(c, features) for c in cells}
    for c, outcome in run(cells, features).items():
        assert same(outcome, alone[c]) or outcome.failed
    failed = alone[cells[1].digest]
    assert failed.failed in ("the training loss was inf in epoch 0", "the training loss was nan in epoch 0")
    assert (failed.predictions, failed.weights, failed.parameters) == ({}, {}, 0)
    assert train_one(cells[1], features, SETTINGS, dtype=torch.float32).failed == failed.failed


def test_each_cell_has_its_own_learning_rate(params):
    features, c = synthetic_features(), cell(params, "zero_fill", "vision", 0.5, 2020)
    slow = replace(c.spec, options={**c.spec.options, "learning_rate": 0.0005})
    cells = [c, replace(c, spec=slow, digest="slower")]
    together = run(cells, features, dtype=torch.float64)
    for c in cells:
        alone = train_one(c, features, SETTINGS, dtype=torch.float64)
        assert together[c.digest].history[-1] == pytest.approx(alone.history[-1], rel=1e-6)
        assert same(run_one(c, features), run(cells, features)[c.digest])
    slower = run_one(cells[0], features, replace(SETTINGS, learning_rate=0.0005), dtype=torch.float64)
    assert slower.history == [pytest.approx(h, rel=1e-9) for h in together["slower"].history]
