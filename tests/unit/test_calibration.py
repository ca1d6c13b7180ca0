"""Intervals hold where what they were calibrated on is what is tested; probabilities, by a plain loop."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from helpers.stored import write_cell
from helpers.synthetic_cells import STUDY, fill, inputs_of, write_failed
from helpers.synthetic_features import synthetic_features
from trml.evaluation.calibration import calibration
from trml.evaluation.predictions import Evaluation
from trml.features.contract import read_features
from trml.training.contract import Outcome, Predicted
from trml.training.store import shard_of, withdraw


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Of methods that err twice as much without vision."""
    inputs = inputs_of(tmp_path_factory.mktemp("calibration"), STUDY, synthetic_features(n=3000))
    fill(inputs, lambda _, present: 0.8 if present == "text" else 0.4)
    return calibration(Evaluation(inputs))


def one(rows, **where):
    return rows.filter(**where).row(0, named=True)


def test_intervals_hold_where_the_same_is_missing_on_dev(rows):
    for present, on in (("text+vision", "text+vision"), ("text", "text")):
        row = one(rows, method="trml", trained="none", present=present, calibrated_on=on)
        assert row["value"] == pytest.approx(0.9, abs=0.02)
        assert row["low"] < row["value"] < row["high"]
    half = [
        one(rows, method="trml", trained="none", present=p, calibrated_on=p)["half_width"]
        for p in ("text+vision", "text")
    ]
    assert half == pytest.approx([1.645 * 0.4, 1.645 * 0.8], rel=0.08)  # of a normal distribution


def test_intervals_of_complete_dev_are_false_confidence(rows):
    row = one(rows, method="trml", trained="none", present="text", calibrated_on="text+vision")
    assert row["value"] == pytest.approx(0.59, abs=0.03)  # P(|z| < 1.645 / 2)
    assert one(rows, method="trml", trained="none", present="vision", calibrated_on="text+vision")["value"] > 0.87


def test_methods_that_were_not_trained_so_have_no_row(rows):
    assert set(rows.filter(trained="none")["method"]) == {"trml", "zero_fill", "supervised_double"}
    assert "supervised_double" not in set(rows.filter(trained="vision")["method"])


def test_expected_error_of_probabilities(tmp_path):
    study = replace(STUDY, methods=(STUDY.methods[0],))
    inputs = inputs_of(tmp_path, study, synthetic_features(n=300, classes=3))
    features, rng = read_features(inputs.features), np.random.default_rng(0)
    ids = {split: features.index["utterance_id"].gather(features.rows(split)).to_list() for split in ("valid", "test")}
    made = {}
    for cell in inputs.distinct_cells():
        p = rng.dirichlet([1, 1, 1], size=50).astype(np.float32)
        predicted = Predicted(p.argmax(axis=1).astype(np.float32), None, p)
        keys = [(split, word) for split in ids for word in ("text+vision", "text", "vision")]
        outcome = Outcome(dict.fromkeys(keys, predicted), [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}], 0, {}, 1)
        write_cell(cell, outcome, ids, features.info.classes)
        made[cell.digest] = p
    evaluation = Evaluation(inputs)
    expected = []
    for cell in evaluation.trained_complete("trml"):
        p, label, error = made[cell.digest], evaluation.label, 0.0
        for k in range(10):
            inside = [i for i in range(50) if min(int(p[i].max() * 10), 9) == k]
            if inside:
                confidence = np.mean([p[i].max() for i in inside])
                error += len(inside) / 50 * abs(confidence - np.mean([p[i].argmax() == label[i] for i in inside]))
        expected.append(error)
    row = one(calibration(evaluation), method="trml", trained="none", present="text+vision")
    assert row["value"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert (row["calibrated_on"], row["low"], row["half_width"]) == (None, None, None)


def test_a_method_whose_training_failed_has_no_row(tmp_path):
    inputs = inputs_of(tmp_path)
    fill(inputs, lambda *_: 0.4)
    cell = Evaluation(inputs).trained_complete("trml")[0]
    withdraw(shard_of(cell))
    write_failed(cell)
    rows = calibration(Evaluation(inputs))
    assert rows.filter(pl.col("method") == "trml", pl.col("trained") == "none").is_empty()
    assert rows.filter(pl.col("method") == "zero_fill", pl.col("trained") == "none").height
