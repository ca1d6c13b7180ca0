"""MM-Align and Modal-Trans: what the alignment net learns, and training under every protocol and shape."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from helpers.synthetic_features import SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import agree_with_a_plain_loop, cell, run, run_one, same
from trml.methods.contract import Shape
from trml.methods.mm_align import MMAlign, States

METHODS = ["modal_trans", "mm_align"]
OPTIONS = {"hidden": 32, "heads": 4, "window": 2, "iterations": 10, "positions": 1.0}


def test_the_alignment_net_learns_to_impute():
    """States of one sequence are those of the other a position later.

    The plan finds it, the net learns it, and what it imputes for other utterances comes near the truth.
    """
    torch.manual_seed(0)
    method = MMAlign(Shape({"text": (10, 4), "vision": (10, 4)}, 1), **OPTIONS)
    regularisation = torch.tensor(0.02)
    optimizer = torch.optim.Adam(method.aligners["vision"].parameters(), lr=0.01)

    def batch() -> dict[str, States]:
        """Sequences of ten positions, each after a summary."""
        whole = torch.randn(64, 12, 32)
        there = torch.ones(64, 11, dtype=torch.bool)
        return {"text": States(whole[:, :-1], there), "vision": States(whole[:, 1:], there)}

    complete = torch.ones(64, dtype=torch.bool)
    for _ in range(60):
        real = batch()
        plan = method._plan(real, regularisation)
        optimizer.zero_grad()
        method._misfit("vision", real, plan.mT, complete).backward()
        optimizer.step()
    real = batch()
    imputed = method._impute("vision", real).positions.states[:, :-1]  # the last one's partner is not there
    truth = real["vision"].positions.states[:, :-1]
    assert (imputed - truth).square().mean() < 0.1 * truth.square().mean()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("frames", "tokens"), [(4, 6), (1, 5), (1, 0), (1, 40), (20, 40)])
def test_sequences_of_any_lengths(params, method, frames, tokens):
    """Both kinds of loss agree with the plain loop in fp64, and NaN in place of what is masked changes nothing."""
    features = synthetic_features(frames=frames, classes=3, tokens=tokens)
    cells = [cell(params, method, victim, 0.5) for victim in ("vision", "text")]
    together = run(cells, features, dtype=torch.float64, fill=float("nan"))
    agree_with_a_plain_loop(together, cells, features)


def test_translations_between_three_sequences(params):
    features = synthetic_features(modalities=TRIPLE, tokens=5)
    cells = [cell(params, "modal_trans", victim, 0.5) for victim in ("vision", "text+audio", "random_modality")]
    together = run(cells, features, dtype=torch.float64, fill=float("nan"))
    agree_with_a_plain_loop(together, cells, features)


@pytest.mark.parametrize("method", METHODS)
def test_every_rate_and_victim_can_be_trained(params, method):
    """Even rate 1, where no utterance is complete, rate 0, where all are, lost frames and random modalities."""
    features = synthetic_features(tokens=5)
    protocols = [
        *product(("vision", "text"), (0.0, 1.0)),
        ("random_modality", 0.7),
        ("random_modality", 1.0),
        ("frames", 0.9),
    ]
    cells = [cell(params, method, *protocol) for protocol in protocols]
    for outcome in run(cells, features, replace(SETTINGS, chunk=None), fill=float("nan")).values():
        assert outcome.failed is None
        assert all(np.isfinite(predicted.value).all() for predicted in outcome.predictions.values())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tokens", [7, 40])
def test_same_bytes_with_tokens(params, method, tokens):
    features = synthetic_features(tokens=tokens)
    cells = [cell(params, method, "vision", 0.5, 2020 + i, hidden=32) for i in range(6)]
    alone = run_one(cells[0], features)
    for count in (2, 6):
        together = run(cells[count - 1 :: -1], features, replace(SETTINGS, chunk=None))
        assert same(together[cells[0].digest], alone)


@pytest.mark.parametrize("method", METHODS)
def test_each_weight_of_the_loss_moves_it(params, method):
    features = synthetic_features(tokens=5)
    moved = {"modal_trans": ("forth", "back"), "mm_align": ("regularisation",)}[method]
    cells = [cell(params, method, "vision", 0.5, **m) for m in ({}, *({name: 0.9} for name in moved))]
    settings = replace(SETTINGS, chunk=None)
    histories = {str(outcome.history) for outcome in run(cells, features, settings).values()}
    assert len(histories) == 1 + len(moved)
