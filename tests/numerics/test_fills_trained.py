"""Mean fill and learned token after training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.plain import error_of_the_median
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import cell, run_one, weights_of


def test_tokens_are_learned(params):
    c = cell(params, "learned_token", "vision", 0.5)
    weights = weights_of(run_one(c, synthetic_features(), dtype=torch.float64))
    assert (weights["text_token"] != 0).all()  # from dropout: no text is missing in this cell
    assert (weights["vision_token"] != 0).all()


def test_without_dropout_nothing_is_learned_for_what_is_never_missing(params):
    c = cell(params, "learned_token", "vision", 0.5, drop=0.0)
    assert (weights_of(run_one(c, synthetic_features()))["text_token"] == 0).all()


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
@pytest.mark.parametrize("name", ["mean_fill", "learned_token"])
def test_fills_learn_what_every_modality_tells(params, name, modalities):
    """With vision missing they predict from the others, better than a constant."""
    features = synthetic_features(n=300, modalities=modalities)
    label = features.index["label"].to_numpy()[features.rows("test")]
    outcome = run_one(cell(params, name, "vision", 0.5), features, replace(SETTINGS, epochs=10, patience=10))
    without_vision = "+".join(m for m in modalities if m != "vision")
    predicted = outcome.predictions["test", without_vision].value
    assert np.abs(predicted - label).mean() < 0.7 * error_of_the_median(label)
