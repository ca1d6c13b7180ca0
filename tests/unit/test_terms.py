"""Which terms of the label predictions follow, and the best prediction of each utterance."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from helpers.synthetic_cells import STUDY, fill, inputs_of, write
from helpers.synthetic_features import synthetic_features
from trml.evaluation.predictions import Evaluation
from trml.evaluation.summary import Summary
from trml.evaluation.terms import _coefficients, terms
from trml.features.contract import read_features
from trml.training.store import shard_of, withdraw


@pytest.fixture
def inputs(tmp_path):
    """A study whose corpus knows two terms of the label: zero fill follows the first half way, the others nothing."""
    features = synthetic_features(n=600)
    inputs = inputs_of(tmp_path, STUDY, features)
    index, rng = features.index, np.random.default_rng(5)
    first = index["label"].to_numpy().astype(float)
    table = {"utterance_id": index["utterance_id"], "first": first, "second": rng.normal(size=600), "none": 0.0}
    pl.DataFrame(table).write_parquet(inputs.corpus / "terms.parquet")
    fill(inputs, lambda *_: 0.1)
    read, tested = read_features(inputs.features), features.rows("test")
    for cell in inputs.distinct_cells():
        if cell.spec.method == "zero_fill":
            withdraw(shard_of(cell))
            of_split = {split: first[features.rows(split)] for split in ("valid", "test")}
            keys = [(split, present) for split in of_split for present in ("text+vision", "text", "vision")]
            write(cell, {key: 0.5 * of_split[key[0]] for key in keys}, read)
    best = pl.DataFrame({"utterance_id": index["utterance_id"].gather(tested), "prediction": first[tested]})
    parts = [best.with_columns(present=pl.lit(present)) for present in ("text+vision", "text", "vision")]
    pl.concat(parts).select("utterance_id", "present", "prediction").write_parquet(inputs.corpus / "oracle.parquet")
    return inputs


def test_coefficients_are_what_predictions_follow(inputs):
    rows = terms(Evaluation(inputs))
    value = {(r["method"], r["present"], r["term"]): r["value"] for r in rows.iter_rows(named=True)}
    assert {term for _, _, term in value} == {"first", "second"}  # what adds nothing is no term
    for present in ("text+vision", "text", "vision"):
        assert value["zero_fill", present, "first"] == pytest.approx(0.5, abs=1e-4)
        assert value["zero_fill", present, "second"] == pytest.approx(0, abs=1e-3)
        assert value["oracle", present, "first"] == pytest.approx(1, abs=1e-3)
        assert value["trml", present, "first"] == pytest.approx(1, abs=0.05)
    assert ("supervised_single", "text", "first") in value
    assert ("supervised_single", "text+vision", "first") not in value


def test_errors_of_coefficients_are_those_of_groups(inputs):
    """Of one predictor, statsmodels' standard errors clustered by group, but for its correction for few parameters."""
    evaluation, rng = Evaluation(inputs), np.random.default_rng(1)
    n = len(evaluation.ids)
    x = rng.normal(size=(n, 2))
    y = x @ [0.7, -0.2] + rng.normal(size=n) + rng.normal(size=evaluation.groups.count)[evaluation.groups.of]
    ours = list(_coefficients(evaluation, x, np.stack([y] * 3)))
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="cluster", cov_kwds={"groups": evaluation.groups.of})
    assert [score.value for score in ours] == pytest.approx(fit.params[1:])
    g, k = evaluation.groups.count, 3
    correction = np.sqrt((n - 1) / (n - k) * g / (g - 1))
    for score, error in zip(ours, fit.bse[1:], strict=True):
        assert score.estimate.error == pytest.approx(error / correction * np.sqrt(g / (g - 1)), rel=0.02)


def test_without_terms_there_are_none(tmp_path):
    inputs = inputs_of(tmp_path)
    fill(inputs, lambda *_: 0.1)
    assert terms(Evaluation(inputs)) is None


def test_the_oracle_stands_beside_the_methods_in_the_metric_it_is_the_best_in(inputs):
    rows = Summary(Evaluation(inputs)).rows.filter(pl.col("method") == "oracle")
    assert set(rows["metric"]) == {"mae"}
    assert rows["value"].to_numpy() == pytest.approx(0, abs=1e-3)
    assert {"all", "text", "text+vision"} <= set(rows["present"])
