"""Mean fill, learned token and modality dropout: what stands in for a missing modality, against plain computations."""

import numpy as np
import pytest
import torch

from helpers.method_batches import batch_of, method_and_data
from helpers.plain import standardised
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import cell
from trml.methods.contract import complete, without_one
from trml.missing.registry import missing_pattern


def method_and_batch(c, features):
    """A cell's module, and its test split that lacks the text of every fourth utterance and the vision of the next."""
    method, data = method_and_data(c, features)
    at = torch.arange(data.splits["test"].n) % 4
    return method, batch_of(c, data, {"text": at != 0, "vision": at != 1})


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_means_are_of_the_complete_training_utterances(params, rate, modalities):
    features = synthetic_features(modalities=modalities)
    method, _ = method_and_data(cell(params, "mean_fill", "vision", rate), features)
    rows = features.rows("train")
    lost = missing_pattern("vision", modalities).losing(SETTINGS.corpus, "train", 2020, rate, len(rows))["vision"]
    rows = rows[~lost]
    for name, (values, mask) in features.signals.items():
        steps = standardised(values[rows].astype(np.float64))[mask[rows]]
        expected = steps.mean(axis=0) if len(rows) else np.zeros(8)
        np.testing.assert_allclose(method.mean(name), expected, atol=1e-12)


def test_a_mean_stands_in_like_an_input(params):
    """The prediction is that of an utterance whose text is the mean text, or whose every frame is the mean frame."""
    method, batch = method_and_batch(cell(params, "mean_fill", "vision", 0.5), synthetic_features())
    by_hand = {}
    for i, (name, signal) in enumerate(batch.signals.items()):
        values, mask = signal.values.clone(), signal.mask.clone()
        values[i::4], mask[i::4] = method.mean(name), True
        by_hand[name] = signal._replace(values=values, mask=mask, share=torch.ones_like(signal.share))
    torch.testing.assert_close(method(batch), method(batch._replace(signals=by_hand)))


def test_tokens_stand_in(params):
    features = synthetic_features()
    method, batch = method_and_batch(cell(params, "learned_token", "vision", 0.5), features)
    zeros, zero_batch = method_and_batch(cell(params, "zero_fill", "vision", 0.5), features)
    torch.testing.assert_close(method(batch), zeros(zero_batch))  # the tokens start at zero
    before = method(batch)
    with torch.no_grad():
        method.vision_token += 1.0
    moved = (method(batch) != before).any(dim=-1)
    assert moved[1::4].all()
    assert not moved[~(torch.arange(len(moved)) % 4 == 1)].any()


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
def test_one_modality_is_dropped_never_two(params, modalities):
    c = cell(params, "zero_fill")
    _, data = method_and_data(c, synthetic_features(modalities=modalities))
    at = torch.arange(data.splits["train"].n) % 4
    batch = batch_of(c, data, {"text": at != 0, "vision": at != 1}, split="train")
    drop, which = batch.draws["drop"][:, 0] < 0.7, batch.draws["which"][:, 0]
    chosen = (which * len(modalities)).long()
    left = without_one(batch, drop, which)
    whole = complete(batch)
    for i, name in enumerate(modalities):
        before = batch.signals[name]
        assert torch.equal(left[name].present, before.present & ~(whole & drop & (chosen == i)))
        assert torch.equal(left[name].share, torch.where(left[name].present, before.share, 0.0))
    lost = sum((before.present.int() - left[name].present.int()) for name, before in batch.signals.items())
    assert torch.equal(lost, (whole & drop).int())
