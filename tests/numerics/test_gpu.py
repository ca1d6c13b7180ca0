"""Training on a GPU; skipped where torch finds none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.synthetic_features import SETTINGS, ragged, synthetic_features
from helpers.synthetic_training import METHODS, by_digest, cells_of, run, same
from trml.training.trainer import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


def on_gpu(cells, features, settings=SETTINGS):
    outcomes = {}
    train(
        cells,
        features,
        settings,
        torch.device("cuda"),
        lambda left: outcomes.update(by_digest(left)),
    )
    return outcomes


@pytest.mark.parametrize("method", METHODS)
def test_it_learns_what_the_cpu_learns(params, method):
    features, cells = synthetic_features(), cells_of(params, method)
    on_cpu, trained = run(cells, features), on_gpu(cells, features)
    for c in cells:
        for key, predicted in on_cpu[c.digest].predictions.items():
            np.testing.assert_allclose(trained[c.digest].predictions[key].value, predicted.value, atol=5e-2)


@pytest.mark.parametrize("made", [synthetic_features, ragged])
@pytest.mark.parametrize("method", METHODS)
def test_same_bytes_alone_and_in_any_company(params, method, made):
    features, cells = made(), cells_of(params, method)
    settings = replace(SETTINGS, chunk=7)
    together = on_gpu(cells, features, settings)
    for c in cells:
        assert same(on_gpu([c], features, settings)[c.digest], together[c.digest])
