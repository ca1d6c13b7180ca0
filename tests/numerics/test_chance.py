"""Labels that mean nothing: no method beats the constant predictor, and no claim is supported, beyond the tests' level.

What is planted is found: test_claims.py.
"""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers.synthetic_cells import STUDY, inputs_of, real_methods
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import CPU
from trml.evaluation.decide import decide
from trml.evaluation.predictions import Evaluation
from trml.features.contract import read_features
from trml.missing.conditions import Condition
from trml.training.contract import write_cell
from trml.training.trainer import train

RUNS = 20
METHODS = ("trml", "supervised_single", "zero_fill", "supervised_double")


def shuffled(seed):
    """Return features whose labels are another utterance's."""
    features = synthetic_features(seed=seed, n=180)
    order = np.random.default_rng(seed).permutation(features.index.height)
    return replace(features, index=features.index.with_columns(pl.col("label").gather(order)))


def trained(raw, folder, seed):
    """Return an experiment on shuffled labels, really trained."""
    methods = real_methods(raw, METHODS, ("no_l_sml", "no_masked_views"))
    study = replace(STUDY, methods=methods, rates=(0.0, 0.5), shown_rates=(0.5,), seed=seed)
    inputs = inputs_of(folder / f"work-{seed}", study, shuffled(seed))
    features = read_features(inputs.features)
    ids = {split: features.index["utterance_id"].gather(features.rows(split)).to_list() for split in ("valid", "test")}

    def done(cell, outcome):
        write_cell(cell, outcome, ids, [], {"device": "cpu", "wall_s": 0.0})

    settings = replace(SETTINGS, experiment_seed=seed, epochs=4, patience=15, batch_size=20, chunk=None)
    train(inputs.distinct_cells(), features, settings, CPU, done)
    return Evaluation(inputs)


@pytest.fixture(scope="module")
def runs(default_raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chance")
    return [trained(default_raw, folder, seed) for seed in range(RUNS)]


def test_no_method_beats_the_constant_predictor_more_often_than_the_level(runs):
    better = dict.fromkeys(METHODS, 0)
    for evaluation in runs:
        constant = evaluation.scores(evaluation.primary, evaluation.constant)
        for name in METHODS:
            predictions = evaluation.predictions(name, Condition.matched("vision", 0.5))
            gain = constant - evaluation.scores(evaluation.primary, predictions)
            better[name] += gain.value > 0 and gain.p_value < 0.05
    assert max(better.values()) <= 0.05 * RUNS, better


def test_no_claim_is_supported_more_often_than_the_level(runs):
    supported = {}
    for evaluation in runs:
        for claim in decide(evaluation):
            if claim.test.startswith("paired"):  # those of being better; on such data all are as near as can be
                supported[claim.id] = supported.get(claim.id, 0) + (claim.verdict == "supported")
    assert set(supported) >= {"C1", "C3"}
    assert max(supported.values()) <= 0.05 * RUNS, supported
