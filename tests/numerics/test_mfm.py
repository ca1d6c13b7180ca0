"""MFM: what its surrogates are worth, and which rows the terms of its loss are of."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.method_batches import batch_of, method_and_data, row_of, with_zero_draws
from helpers.plain import error_of_the_median
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import cell, run_one, weights_of
from trml.config.load import check
from trml.methods.contract import visible
from trml.methods.layers.towers import mean_step
from trml.methods.mfm import JOINT

NO_VISION, NO_TEXT = {"vision": False}, {"text": False}


@pytest.fixture(scope="module")
def features():
    return synthetic_features(n=300)


@pytest.fixture(scope="module")
def of_training(default_raw):
    """The cell that is trained."""
    return cell(check(default_raw), "mfm", "vision", 0.5, hidden=16)


@pytest.fixture(scope="module")
def trained(of_training, features):
    """A trained module, its outcome, and batches of the test split."""
    outcome = run_one(of_training, features, replace(SETTINGS, epochs=15, patience=15))
    method, data = method_and_data(of_training, features, torch.float32)
    method.load_state_dict(weights_of(outcome))

    def batch(present=None, rows=None):
        return batch_of(of_training, data, present, rows=rows)

    return method, outcome, batch


def term(method, batch, name):
    """The value of one term of the loss."""
    with torch.no_grad():
        of = {option: torch.tensor(0.0) for option in method.tensors}
        return method.loss(batch, {**of, name: torch.tensor(1.0)}) - method.loss(batch, of)


def test_surrogates_tell_more_of_the_latents_than_the_prior_does(trained):
    """Both modalities show one hidden number, so each tells of the other, and most of all of the joint latent.

    They are better than zeros, the prior's mean, and better than the surrogates of another utterance.
    """
    method, _, batch = trained
    with torch.no_grad():
        z = method._encode(visible(batch()))
    for source, name, share in (
        ("vision", "text", 1.0),
        ("text", "vision", 0.9),
        ("text", JOINT, 0.5),
        ("vision", JOINT, 0.5),
    ):
        virtual, real = z.surrogates[source][name], z.real[name]
        error = (virtual - real).square().mean()
        assert error < share * real.square().mean()
        assert error < 0.85 * (virtual.roll(1, dims=0) - real).square().mean()


def test_without_vision_it_predicts_from_the_text(trained, features):
    method, outcome, batch_with = trained
    label = features.index["label"].to_numpy()[features.rows("test")]
    for present in ("text+vision", "text"):
        assert np.abs(outcome.predictions["test", present].value - label).mean() < 0.7 * error_of_the_median(label)
    batch = batch_with(NO_VISION)
    text = batch.signals["text"]
    rolled = {**batch.signals, "text": text._replace(values=text.values.roll(1, dims=0))}
    with torch.no_grad():
        alone, others = method(batch), method(batch._replace(signals=rolled))
    torch.testing.assert_close(others, alone.roll(1, dims=0))
    assert alone.std() > 0.3


def test_surrogates_are_fitted_on_complete_utterances_alone(trained):
    method, _, batch = trained
    half = batch({"vision": torch.arange(10) < 5}, rows=torch.arange(10))
    first, lacking = row_of(half, slice(5)), row_of(half, slice(5, 10))

    def error(batch):
        return term(method, batch, "surrogate")

    assert error(lacking) == 0
    torch.testing.assert_close(error(half), error(first))
    assert error(half) > 0


def test_what_is_present_is_rebuilt(trained):
    """Better than by the mean over the other utterances, and only of the modality that is present."""
    method, _, batch = trained
    seen = visible(batch())
    by_the_mean = sum(mean_step(signal.values, signal.mask).var(dim=0).mean() for signal in seen.values())
    rebuilt = [term(method, batch(present), "reconstruction") for present in (None, NO_VISION, NO_TEXT)]
    assert rebuilt[0] < 0.9 * by_the_mean
    assert rebuilt[1] < rebuilt[0]
    assert rebuilt[2] < rebuilt[0]


def test_predictions_do_not_depend_on_the_draws(trained):
    method, _, batch_with = trained
    batch = batch_with()
    assert torch.equal(method(batch), method(with_zero_draws(batch)))
