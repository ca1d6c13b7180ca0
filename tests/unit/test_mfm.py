"""MFM: what its surrogates are worth, which rows the terms of its loss are of."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import cell, run

from conftest import SETTINGS, made_features
from trml.config.load import check
from trml.methods.contract import visible
from trml.methods.mfm import LATENT
from trml.training.data import load_data
from trml.training.new_method import new_method

CPU = torch.device("cpu")
COMPLETE = (True, True)


@pytest.fixture(scope="module")
def features():
    return made_features(n=300)


@pytest.fixture(scope="module")
def trained(features, default_raw):
    """A trained module, its outcome, and the data."""
    c = cell(check(default_raw), "mfm", "vision", 0.5, hidden=16)
    outcome = run([c], features, replace(SETTINGS, epochs=15, patience=15))[c.digest]
    data = load_data(features, CPU, torch.float32, float("nan"))
    method = new_method(c, features, data, SETTINGS)
    method.load_state_dict(outcome.state)
    return method, outcome, data


def batch_of(data, present=COMPLETE, rows=None):
    test = data.splits["test"]
    rows = torch.arange(test.n) if rows is None else rows
    draws = torch.rand(len(rows), 3 * LATENT, generator=torch.Generator().manual_seed(0))
    return data.batch(test, rows, torch.tensor([present] * len(rows)), draws)


def term(method, batch, name):
    """The value of one term of the loss."""
    with torch.no_grad():
        of = {option: torch.tensor(0.0) for option in method.tensors}
        return method.loss(batch, {**of, name: torch.tensor(1.0)}) - method.loss(batch, of)


def test_surrogates_tell_more_of_the_latents_than_the_prior_does(trained):
    """Both modalities show one hidden number, so each tells of the other, and most of all of the joint latent: better
    than zeros, the prior's mean, and better than the surrogates of another utterance."""
    method, _, data = trained
    with torch.no_grad():
        z = method._encode(visible(batch_of(data)))
    for virtual, real, share in (
        (z.text_from_vision, z.text, 1.0),
        (z.vision_from_text, z.vision, 0.9),
        (z.joint_from_text, z.joint, 0.5),
        (z.joint_from_vision, z.joint, 0.5),
    ):
        error = (virtual - real).square().mean()
        assert error < share * real.square().mean()
        assert error < 0.85 * (virtual.roll(1, dims=0) - real).square().mean()


def test_without_vision_it_predicts_from_the_text(trained, features):
    method, outcome, data = trained
    label = features.index["label"].to_numpy()[features.rows("test")]
    spread = np.abs(label - np.median(label)).mean()
    for condition in ("complete", "vision_missing"):
        assert np.abs(outcome.predictions["test", condition] - label).mean() < 0.7 * spread
    batch = batch_of(data, (True, False))
    with torch.no_grad():
        alone, others = method(batch), method(batch._replace(text=batch.text.roll(1, dims=0)))
    torch.testing.assert_close(others, alone.roll(1, dims=0))
    assert alone.std() > 0.3


def test_surrogates_are_fitted_on_complete_utterances_alone(trained):
    method, _, data = trained
    whole = batch_of(data, rows=torch.arange(10))
    half = whole._replace(vision_present=torch.arange(10) < 5)
    first, lacking = (type(half)(*(x[rows] for x in half)) for rows in (slice(5), slice(5, 10)))

    def error(batch):
        return term(method, batch, "surrogate")

    assert error(lacking) == 0
    torch.testing.assert_close(error(half), error(first))
    assert error(half) > 0


def test_what_is_there_is_rebuilt(trained):
    """Better than by the mean over the other utterances, and of the modality that is there alone."""
    method, _, data = trained
    batch = batch_of(data)
    seen = visible(batch)
    frames = seen.frames.sum(dim=1) / seen.frame_mask.sum(dim=1, keepdim=True)
    by_the_mean = seen.text.var(dim=0).mean(), frames.var(dim=0).mean()
    rebuilt = [
        term(method, batch_of(data, present), "reconstruction") for present in (COMPLETE, (True, False), (False, True))
    ]
    assert rebuilt[0] < 0.9 * sum(by_the_mean)
    assert rebuilt[1] < rebuilt[0]
    assert rebuilt[2] < rebuilt[0]


def test_predictions_do_not_depend_on_the_draws(trained):
    method, _, data = trained
    batch = batch_of(data)
    assert torch.equal(method(batch), method(batch._replace(draws=torch.zeros_like(batch.draws))))
