"""MM-Align and Modal-Trans: the band, what the alignment net learns, and training under every protocol and shape."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from test_training import cell, run, same

from conftest import SETTINGS, made_features
from trml.features.contract import FeatureSet
from trml.methods.contract import Batch, Shape
from trml.methods.layers.alignment import AlignmentNet, band, from_band, in_band
from trml.methods.mm_align import MMAlign, States
from trml.training.reference import train_one

WINDOW = 2


def with_tokens(features: FeatureSet, length: int) -> FeatureSet:
    """The features with texts of 1 to `length` tokens, each token near the text's vector."""
    rng = np.random.default_rng(7)
    n, d = features.text.shape
    mask = np.arange(length) < rng.integers(1, length + 1, n)[:, None]
    tokens = features.text[:, None] + rng.normal(size=(n, length, d))
    return replace(features, tokens=tokens.astype(np.float32), token_mask=mask)


def picked(targets: int, sources: int) -> list[list[int | None]]:
    """The band by a plain loop: the source position of each entry, None outside."""
    rows = []
    for j in range(targets):
        centre = int(np.floor(j * (sources - 1) / max(1, targets - 1) + 0.5))
        around = [centre + offset for offset in range(-WINDOW, WINDOW + 1)]
        rows.append([i if 0 <= i < sources else None for i in around])
    return rows


@pytest.mark.parametrize(("targets", "sources"), [(6, 6), (8, 16), (16, 8), (7, 3), (1, 5), (5, 1), (1, 1)])
def test_the_band_is_that_of_a_plain_loop(targets, sources):
    picks = band(targets, sources, WINDOW, torch.zeros(()))
    matrix, source = torch.randn(2, targets, sources), torch.randn(2, sources, 3)
    entries = torch.randn(2, targets, 2 * WINDOW + 1)
    found, aligned = in_band(matrix, picks), from_band(entries, picks) @ source
    for b, (j, row) in product(range(2), enumerate(picked(targets, sources))):
        assert [float(x) for x in found[b, j]] == [0.0 if i is None else float(matrix[b, j, i]) for i in row]
        expected = sum(entries[b, j, k] * source[b, i] for k, i in enumerate(row) if i is not None)
        torch.testing.assert_close(aligned[b, j], expected)


def test_weights_are_a_distribution_over_what_is_there():
    net, source = AlignmentNet(8, WINDOW), torch.randn(3, 6, 8)
    mask = torch.arange(6) < torch.tensor([[6], [2], [0]])
    weights, there = net(source, mask, band(6, 6, WINDOW, source))
    assert (weights[~there] == 0).all()
    torch.testing.assert_close(weights.sum(-1), there.any(-1).float())
    assert there[0, 0].tolist() == [False, False, True, True, True]
    assert there[1, 3].tolist() == [True, False, False, False, False]
    assert not there[2].any()


OPTIONS = {"hidden": 32, "heads": 4, "window": WINDOW, "iterations": 10, "alignment": 1.0, "regularisation": 0.2}


def test_the_alignment_net_learns_to_impute():
    """States of one sequence are those of the other a position later; the plan finds it, the net learns it, and what it
    imputes for others comes near the truth."""
    torch.manual_seed(0)
    method = MMAlign(Shape(4, 4, 1, None, 10, 10), **OPTIONS)
    aligner, regularisation = method.vision_aligner, torch.tensor(0.02)
    optimizer = torch.optim.Adam(aligner.parameters(), lr=0.01)

    def batch() -> tuple[States, States]:
        whole = torch.randn(64, 11, 32)
        there = torch.ones(64, 10, dtype=torch.bool)
        return States(whole[:, :-1], there), States(whole[:, 1:], there)

    complete = torch.ones(64, dtype=torch.bool)
    for _ in range(60):
        text, vision = batch()
        plan = method._plan(text, vision, regularisation)
        optimizer.zero_grad()
        method._misfit(aligner, text, vision, plan.mT, complete).backward()
        optimizer.step()
    text, vision = (States(torch.cat([x.states[:, :1], x.states], 1), torch.ones(64, 11).bool()) for x in batch())
    imputed = method._impute(aligner, text, vision).positions.states[:, :-1]  # the last one's partner is not there
    real = vision.positions.states[:, :-1]
    assert (imputed - real).square().mean() < 0.1 * real.square().mean()


def test_no_gradient_goes_through_the_plan():
    method = MMAlign(Shape(4, 4, 1, None, 5, 5), **OPTIONS)
    states = torch.randn(2, 5, 32, requires_grad=True)
    sequence = States(states, torch.ones(2, 5, dtype=torch.bool))
    assert not method._plan(sequence, sequence, torch.tensor(0.2)).requires_grad


def test_what_stands_in_does_not_depend_on_what_is_missing():
    """The imputed sequence of a missing clip is the same whatever the clip held."""
    torch.manual_seed(0)
    method = MMAlign(Shape(4, 4, 1, None, 5, 6), **OPTIONS)

    def batch(fill: float) -> Batch:
        generator = torch.Generator().manual_seed(1)
        text, tokens, frames = (torch.randn(*s, generator=generator) for s in ((3, 4), (3, 5, 4), (3, 6, 4)))
        there, gone = torch.ones(3, dtype=torch.bool), torch.zeros(3, dtype=torch.bool)
        share, draws = torch.zeros(3), torch.zeros(3, 2)
        frames, mask = torch.full_like(frames, fill), torch.zeros(3, 6, dtype=torch.bool)
        token_mask = torch.ones(3, 5, dtype=torch.bool)
        return Batch(text, frames, mask, there, gone, share, torch.zeros(3), draws, tokens, token_mask)

    assert torch.equal(method(batch(0.0)), method(batch(float("nan"))))


METHODS = ["modal_trans", "mm_align"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("frames", "tokens"), [(4, 6), (1, 5), (1, 1)])
def test_sequences_of_any_lengths(params, method, frames, tokens):
    """Both kinds of loss agree with the plain loop in fp64, and NaN in place of what is masked changes nothing."""
    features = made_features(frames=frames, classes=3)
    features = with_tokens(features, tokens) if tokens > 1 else features
    cells = [cell(params, method, victim, 0.5) for victim in ("vision", "text")]
    together = run(cells, features, dtype=torch.float64, fill=float("nan"))
    for c in cells:
        alone = train_one(c, features, SETTINGS, dtype=torch.float64)
        for mine, theirs in zip(together[c.digest].history, alone.history, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_every_rate_and_victim_can_be_trained(params, method):
    """Even rate 1, where no utterance is complete, rate 0, where all are, and where only frames or either are lost."""
    features = with_tokens(made_features(), 5)
    protocols = [*product(("vision", "text"), (0.0, 1.0)), ("either", 0.7), ("either", 1.0), ("frames", 0.9)]
    cells = [cell(params, method, *protocol) for protocol in protocols]
    for outcome in run(cells, features, replace(SETTINGS, chunk=None), fill=float("nan")).values():
        assert outcome.failed is None
        assert all(np.isfinite(values).all() for values in outcome.predictions.values())


@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_with_tokens(params, method):
    features = with_tokens(made_features(), 7)
    cells = [cell(params, method, "vision", 0.5, 2020 + i, hidden=32) for i in range(6)]
    alone = run(cells[:1], features)[cells[0].digest]
    for count in (2, 6):
        together = run(cells[count - 1 :: -1], features, replace(SETTINGS, chunk=None))
        assert same(together[cells[0].digest], alone)


@pytest.mark.parametrize("method", METHODS)
def test_each_weight_of_the_loss_moves_it(params, method):
    features = with_tokens(made_features(), 5)
    moved = {"modal_trans": ("forth", "back"), "mm_align": ("alignment", "regularisation")}[method]
    cells = [cell(params, method, "vision", 0.5, **m) for m in ({}, *({name: 0.9} for name in moved))]
    settings = replace(SETTINGS, chunk=None)
    histories = {str(outcome.history) for outcome in run(cells, features, settings).values()}
    assert len(histories) == 3


def test_warm_up():
    """Two epochs of warm-up walk over complete utterances alone, then come the incomplete ones."""
    kinds = [[each.rows for each in MMAlign.passes(epoch)] for epoch in range(4)]
    assert kinds == [["complete"], ["complete"], *[["complete", "incomplete"]] * 2]
