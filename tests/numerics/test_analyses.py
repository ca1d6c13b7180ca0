"""Trained methods run again: on modalities that are wrong, epoch by epoch, and what they cost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from helpers.stored import block_of
from helpers.synthetic_cells import PROPOSED, STUDY, inputs_of
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import CPU
from trml.evaluation.contract import OURS, ProbeInputs
from trml.evaluation.predictions import Evaluation
from trml.evaluation.probing.conventions import conventions
from trml.evaluation.probing.corruption import CORRUPTIONS, corrupted, corruption
from trml.evaluation.probing.cost import cost
from trml.features.contract import View, read_features
from trml.training.again import Changed, by_epoch, operations, restored
from trml.training.data import load_data
from trml.training.store import read_cell
from trml.training.worker import train_block


@pytest.fixture(scope="module")
def inputs(default_raw, tmp_path_factory):
    """Trainings of four methods on a corpus whose vectors have three frames and tokens."""
    folder = tmp_path_factory.mktemp("analyses")
    options = {name: dict(default_raw["methods"][name]["options"], hidden=8) for name in default_raw["methods"]}
    methods = tuple(replace(m, options=options[m.name], variants=()) for m in STUDY.methods)
    study = replace(STUDY, methods=methods, seeds=(1, 2, 3))
    inputs = inputs_of(folder, study, synthetic_features(n=300, tokens=4))
    settings = replace(SETTINGS, epochs=4, patience=4)
    cells = inputs.distinct_cells()
    train_block(block_of(folder, cells, inputs.features, settings), CPU)
    return ProbeInputs(inputs, settings, Path("data"), 3, analyses=True)


def stored(cell, present):
    _, table = read_cell(cell)
    return table.filter(pl.col("split") == "test", pl.col("present") == present)["prediction"].to_numpy()


def views_of_test(features):
    rows = features.rows("test")
    return {name: View(np.array(v.values[rows]), np.array(v.mask[rows])) for name, v in features.named_views().items()}


def test_what_is_not_changed_is_predicted_as_it_was(inputs):
    features, evaluation = read_features(inputs.evaluation.features), Evaluation(inputs.evaluation)
    changed = Changed.of(features, CPU, [{}, corrupted(features, "vision", "noise", 1.0, 1)])
    for name, method in evaluation.study.by_name.items():
        for cell in evaluation.trained_complete(name):
            same, noisy = changed.predicted(cell, inputs.settings, [0, 1])
            np.testing.assert_allclose(same, stored(cell, "text+vision"), atol=1e-5)
            assert method.single == np.allclose(noisy, same, atol=1e-2)  # a method of one modality reads no vision


def test_a_training_repeated_is_the_one_in_the_store(inputs):
    features, evaluation = read_features(inputs.evaluation.features), Evaluation(inputs.evaluation)
    cells = evaluation.trained_with("trml", "vision", 0.5)
    made = by_epoch(cells, features, inputs.settings, CPU, ["text+vision", "text"])
    for cell in cells:
        best, of_words = made[cell.digest]
        assert best == read_cell(cell)[0]["best_epoch"]
        for word, of_epochs in of_words.items():
            assert len(of_epochs) == 4
            assert (of_epochs[best] == stored(cell, word)).all()


def test_only_the_one_modality_is_wrong(inputs):
    features = read_features(inputs.evaluation.features)
    before = views_of_test(features)
    for name, each in CORRUPTIONS.items():
        after = corrupted(features, "vision", name, each.levels[-1], 1)
        assert set(after) == {"vision"}
        assert not np.array_equal(after["vision"].values, before["vision"].values)
    assert not np.array_equal(
        corrupted(features, "text", "noise", 1.0, 1)["text_tokens"].values, before["text_tokens"].values
    )


def test_corruptions_do_what_they_say(inputs):
    features = read_features(inputs.evaluation.features)
    values, mask = views_of_test(features)["vision"]
    noisy = corrupted(features, "vision", "noise", 2.0, 1)["vision"].values
    spread = np.sqrt((values[mask].std(axis=0) ** 2).mean())
    assert (noisy - values)[mask].std() == pytest.approx(2 * spread, rel=0.05)
    shuffled = corrupted(features, "vision", "shuffled", 1.0, 1)["vision"]
    assert (shuffled.mask.sum(axis=1) == mask.sum(axis=1)).all()
    whole = mask.all(axis=1)
    assert (np.sort(shuffled.values[whole], axis=1) == np.sort(values[whole], axis=1)).all()
    blurred = corrupted(features, "vision", "blur", 1.0, 1)["vision"].values
    i = int(np.flatnonzero(mask.all(axis=1))[0])
    np.testing.assert_allclose(blurred[i, 1], values[i, :3].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(blurred[i, 0], values[i, :2].mean(axis=0), atol=1e-6)
    few, more = (corrupted(features, "vision", "wrong", level, 1)["vision"].values for level in (0.25, 0.5))
    hit = [(x != values).any(axis=(1, 2)) for x in (few, more)]
    assert [h.sum() for h in hit] == [round(0.25 * len(values)), round(0.5 * len(values))]
    assert not (hit[0] & ~hit[1]).any()
    assert sorted(more.sum(axis=(1, 2)).tolist()) == sorted(values.sum(axis=(1, 2)).tolist())


def test_rows_of_wrong_modalities(inputs):
    evaluation, features = Evaluation(inputs.evaluation), read_features(inputs.evaluation.features)
    rows = corruption(inputs, evaluation, features, CPU)
    of = {
        (r["method"], r["trained"], r["modality"], r["corruption"], r["level"]): r["value"]
        for r in rows.iter_rows(named=True)
    }
    assert {(m, t) for m, t, *_ in of} == {
        ("trml", "none"), ("trml", "vision"), ("trml", "text"),
        ("zero_fill", "none"), ("zero_fill", "vision"), ("zero_fill", "text"), ("supervised_double", "none"),
    }  # fmt: skip
    complete = evaluation.scores(evaluation.primary, evaluation.on_complete_data("trml")).value
    assert of["trml", "none", "vision", "clean", 0.0] == pytest.approx(complete)
    assert of["trml", "none", "vision", "wrong", 1.0] > of["trml", "none", "vision", "clean", 0.0]
    assert ("trml", "none", "vision", "shuffled", 1.0) in of
    assert ("trml", "none", "text", "shuffled", 1.0) not in of  # one vector has no steps
    assert corruption(replace(inputs, analyses=False), evaluation, features, CPU).is_empty()


def test_each_convention_looks_as_it_must(inputs):
    rows = conventions(inputs, Evaluation(inputs.evaluation), read_features(inputs.evaluation.features), CPU)
    by_key = {(r["convention"], r["victim"], r["metric"]): r for r in rows.iter_rows(named=True)}
    evaluation = Evaluation(inputs.evaluation)
    cells = evaluation.trained_with("trml", "vision", 0.5)
    summary = evaluation.predictions("trml", evaluation.study.condition("vision", 0.5))
    assert len(cells) == 3
    for metric in evaluation.metrics:
        key = "vision", metric.name
        assert by_key[(OURS, *key)]["value"] == pytest.approx(evaluation.scores(metric, summary).value)
        assert by_key[(OURS, *key)]["gain"] == 0
        gains = [by_key[(name, *key)]["gain"] for name in (
            "the best epoch on test, of each metric", "the best seed and epoch on test, of each metric")]  # fmt: skip
        assert 0 <= gains[0] <= gains[1]
        assert gains[1] >= by_key[("the best seed on test", *key)]["gain"] >= 0
        drawn = by_key[("masks drawn anew", *key)]
        assert drawn["spread"] is not None and abs(drawn["gain"]) < 6 * drawn["spread"] + 0.05
    mae = by_key[("the epoch with the best MAE on test", "vision", "mae")]
    assert mae["gain"] == by_key[("the best epoch on test, of each metric", "vision", "mae")]["gain"]


def test_operations_are_those_of_the_linear_layers(inputs):
    """Of a method of one vector a modality: each layer once, a multiplication and an addition a weight."""
    features, evaluation = read_features(inputs.evaluation.features), Evaluation(inputs.evaluation)
    cell = evaluation.trained_with("supervised_single", "vision", 0.5)[0]
    method = restored(cell, load_data(features, CPU, torch.float32), inputs.settings)
    by_hand = sum(2 * m.in_features * m.out_features for m in method.modules() if isinstance(m, nn.Linear))
    assert operations(cell, features, inputs.settings) == by_hand


def test_cost_has_every_method(inputs):
    rows = cost(inputs, Evaluation(inputs.evaluation), read_features(inputs.evaluation.features))
    assert set(rows["method"]) == set(inputs.evaluation.study.by_name)
    assert PROPOSED.name in set(rows["method"])
    assert (rows["operations"] > 0).all() and (rows["parameters"] > 0).all()
