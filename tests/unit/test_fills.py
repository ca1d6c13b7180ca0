"""Mean fill and learned token: what stands in for a missing modality, against plain computations."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import cell, run

from conftest import SETTINGS, made_features
from trml.methods.contract import without_one
from trml.missing.masks import missing
from trml.training.data import load_data
from trml.training.new_method import new_method

CPU = torch.device("cpu")


def standardised(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def method_and_batch(c, features, fill=float("nan")):
    """A cell's module before training, and its test split that lacks the text of every fourth utterance and the
    vision of the next."""
    data = load_data(features, CPU, torch.float64, fill)
    method = new_method(c, features, data, SETTINGS)
    test = data.splits["test"]
    present = torch.ones(test.n, 2, dtype=torch.bool)
    present[::4, 0] = False
    present[1::4, 1] = False
    return method, data.batch(test, torch.arange(test.n), present, torch.rand(test.n, method.draws))


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_means_are_of_the_complete_training_utterances(params, rate):
    features = made_features()
    method, _ = method_and_batch(cell(params, "mean_fill", "vision", rate), features)
    rows = features.rows("train")
    rows = rows[~missing("made", "vision", "train", 2020, rate, len(rows))]
    text, frame = np.zeros(8), np.zeros(8)
    if len(rows):
        text = standardised(features.text[rows].astype(np.float64)).mean(axis=0)
        frame = standardised(features.frames[rows].astype(np.float64))[features.frame_mask[rows]].mean(axis=0)
    np.testing.assert_allclose(method.mean_text, text, atol=1e-12)
    np.testing.assert_allclose(method.mean_frame, frame, atol=1e-12)


def test_a_mean_stands_in_like_an_input(params):
    """The prediction is that of an utterance whose text is the mean text, or whose every frame is the mean frame."""
    method, batch = method_and_batch(cell(params, "mean_fill", "vision", 0.5), made_features())
    text, frames, mask = batch.text.clone(), batch.frames.clone(), batch.frame_mask.clone()
    text[::4], frames[1::4], mask[1::4] = method.mean_text, method.mean_frame, True
    everyone = torch.ones_like(batch.text_present)
    by_hand = batch._replace(text=text, frames=frames, frame_mask=mask, text_present=everyone, vision_present=everyone)
    torch.testing.assert_close(method(batch), method(by_hand))


def test_tokens_stand_in_and_are_learned(params):
    features = made_features()
    c = cell(params, "learned_token", "vision", 0.5)
    method, batch = method_and_batch(c, features)
    zeros, zero_batch = method_and_batch(cell(params, "zero_fill", "vision", 0.5), features)
    torch.testing.assert_close(method(batch), zeros(zero_batch))  # the tokens start at zero
    before = method(batch)
    with torch.no_grad():
        method.vision_token += 1.0
    moved = (method(batch) != before).any(dim=-1)
    assert moved[1::4].all()
    assert not moved[~(torch.arange(len(moved)) % 4 == 1)].any()
    state = run([c], features, dtype=torch.float64)[c.digest].state
    assert (state["text_token"] != 0).all()  # from dropout: no text is missing in this cell
    assert (state["vision_token"] != 0).all()


def test_without_dropout_nothing_stands_in_for_what_never_lacks(params):
    c = cell(params, "learned_token", "vision", 0.5, drop=0.0)
    assert (run([c], made_features())[c.digest].state["text_token"] == 0).all()


def test_one_modality_is_taken_never_both(params):
    _, batch = method_and_batch(cell(params, "zero_fill"), made_features())
    drop, text = batch.draws[:, 0] < 0.7, batch.draws[:, 1] < 0.5
    left = without_one(batch, drop, text)
    complete = batch.text_present & batch.vision_present
    assert (left.text_present | left.vision_present).all()
    assert torch.equal(left.text_present, batch.text_present & ~(complete & drop & text))
    assert torch.equal(left.vision_present, batch.vision_present & ~(complete & drop & ~text))


def test_fills_learn_what_both_modalities_tell(params):
    """With vision missing they predict from the text, better than a constant."""
    features, settings = made_features(n=300), replace(SETTINGS, epochs=10, patience=10)
    label = features.index["label"].to_numpy()[features.rows("test")]
    cells = [cell(params, name, "vision", 0.5) for name in ("mean_fill", "learned_token")]
    for c in cells:
        predicted = run([c], features, settings)[c.digest].predictions["test", "vision_missing"]
        assert np.abs(predicted - label).mean() < 0.7 * np.abs(label - np.median(label)).mean()
