"""Labels that mean nothing: no method beats chance, and no claim is supported, more often than the level allows.

That planted effects are detected is tested in tests/unit (claims).
"""

import copy
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from helpers.synthetic_cells import write_utterances
from helpers.synthetic_features import synthetic_features
from trml.config.load import check
from trml.evaluation.decide import decide
from trml.evaluation.predictions import Evaluation
from trml.features.writer import write_features
from trml.missing.conditions import Condition
from trml.planning.handover import evaluation_inputs
from trml.planning.plan import plans
from trml.planning.study import settings_of
from trml.training.store import write_cells
from trml.training.trainer import train

RUNS = 20
METHODS = ("trml", "supervised_single", "zero_fill", "supervised_double")


def shuffled(seed):
    """Return features whose labels are another utterance's."""
    features = synthetic_features(seed=seed, n=180)
    order = np.random.default_rng(seed).permutation(features.index.height)
    return replace(features, index=features.index.with_columns(pl.col("label").gather(order)))


def trained(raw, folder, seed):
    """Train an experiment on shuffled labels; return its evaluation."""
    raw = copy.deepcopy(raw)
    raw["seed"] = seed
    raw["protocol"].update(victims=["vision", "text"], rates=[0.0, 0.5], complete=[0.5], seeds=[1, 2, 3])
    raw["report"].update(conditions=[0.5])
    raw["training"].update(epochs=4, batch_size=20)
    raw["methods"] = {name: raw["methods"][name] for name in METHODS}
    for method in raw["methods"].values():
        method["options"]["hidden"] = 8
    variants = raw["methods"]["trml"]["variants"]
    kept = {name: variants[name] for name in ("no_l_sml", "no_masked_views")}
    raw["methods"]["trml"].update(sweeps={}, grids=[], variants=kept)
    raw.update(studies=True, datasets={})
    plan = plans(check(raw), folder / f"work-{seed}")[0]
    plan.features.mkdir(parents=True)
    features = shuffled(seed)
    write_features(plan.features, features)
    write_utterances(plan.corpus, features)
    ids = {s: features.index.filter(pl.col("split") == s)["utterance_id"].to_list() for s in ("valid", "test")}

    def done(left):
        write_cells(left, ids, [], {"device": "cpu", "wall_s": 0.0})

    train(plan.cells, features, settings_of(plan.params), torch.device("cpu"), done)
    return Evaluation(evaluation_inputs(plan))


@pytest.fixture(scope="module")
def runs(default_raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chance")
    return [trained(default_raw, folder, seed) for seed in range(RUNS)]


def test_no_method_beats_the_constant_predictor_more_often_than_the_level(runs):
    better = {name: 0 for name in METHODS}
    for evaluation in runs:
        constant = evaluation.scores(evaluation.primary, evaluation.constant)
        for name in METHODS:
            predictions = evaluation.predictions(name, Condition.matched("vision", 0.5))
            gain = constant - evaluation.scores(evaluation.primary, predictions)
            better[name] += gain.value > 0 and gain.p_value < 0.05
    assert max(better.values()) <= 0.05 * RUNS, better


def test_no_claim_is_supported_in_more_runs_than_the_level(runs):
    supported, judged = [], set()
    for i, evaluation in enumerate(runs):
        claims = decide(evaluation)
        judged |= {claim.id for claim in claims}
        supported += [(i, claim.id) for claim in claims if claim.verdict == "supported"]
    assert judged == {"C1", "C2", "C3"}
    assert len({i for i, _ in supported}) <= 0.05 * RUNS, supported
