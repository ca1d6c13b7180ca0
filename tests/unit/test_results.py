"""From cells to scores: scores come from the store, damage is refused, a failed training has no number."""

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import mean_absolute_error

from helpers.synthetic_cells import STUDY, evaluated, fill, inputs_of, scaled, write, write_failed, write_utterances
from helpers.synthetic_features import synthetic_features
from trml.base.artifacts import read_json, write_json, write_sums
from trml.base.errors import ContractError, StoreError
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.predictions import Evaluation
from trml.features.contract import read_features
from trml.missing.conditions import Condition
from trml.missing.registry import missing_pattern
from trml.training.contract import Cell, Training
from trml.training.store import RECORDS, is_done, read_cell, shard_of, withdraw

PAIR = ("text", "vision")


@pytest.fixture
def inputs(tmp_path):
    return inputs_of(tmp_path)


# --- scores ----------------------------------------------------------------------------------------------


def test_a_condition_mixes_patterns_by_the_mask(inputs):
    cell = inputs.cell("trml", "default", "text", 0.5, 0.5, 2)
    fill(inputs, lambda _, present: {"text+vision": 0.0, "vision": 1.0}.get(present, 2.0), [cell])
    evaluation = Evaluation(inputs)
    at_half = evaluation.cell_predictions(cell, Condition.matched("text", 0.5))
    wrong = ~np.isclose(at_half, evaluation.label, atol=1e-3)
    lost = missing_pattern("text", PAIR).losing("synthetic", "test", 2, 0.5, len(wrong))
    assert (wrong == lost["text"]).all()


def test_metrics_equal_scikit_learn_on_the_stored_predictions(inputs, tmp_path):
    fill(inputs, lambda *_: 0.5)
    evaluated(inputs, tmp_path / "evaluation")
    rows = pl.read_parquet(tmp_path / "evaluation" / "metrics.parquet")
    index = pl.read_parquet(inputs.features / "index.parquet").filter(pl.col("split") == "test")
    per_unit = Evaluation(inputs).per_unit  # predictions are scored in whole steps
    for cell in inputs.distinct_cells()[::5]:
        _, stored = read_cell(cell)
        test = stored.filter(pl.col("split") == "test", pl.col("present") == "text+vision")
        predicted = (test["prediction"].cast(pl.Float64) * per_unit).round() / per_unit
        expected = mean_absolute_error(index["label"].cast(pl.Float64), predicted)
        row = rows.filter(pl.col("cell") == cell.digest, pl.col("condition") == "complete", pl.col("metric") == "mae")
        assert row["value"].item() == pytest.approx(expected, abs=1e-6)
    assert rows.filter(pl.col("metric") == "mae").group_by("cell").len()["len"].min() >= 2


def test_a_cell_has_rows_under_each_name_it_is_asked_for_by(inputs, tmp_path):
    """As where a sweep passes through the default."""
    fill(inputs, lambda *_: 0.5)
    default = Training("trml", "default", "vision", 0.5, 0.5, 2)
    cells = {**inputs.cells, default._replace(variant="temperature=0.07"): inputs.cells[default]}
    evaluated(replace(inputs, cells=cells), tmp_path / "evaluation")
    rows = pl.read_parquet(tmp_path / "evaluation" / "metrics.parquet").filter(cell=inputs.cells[default].digest)
    own, swept = (rows.filter(variant=name).drop("variant") for name in ("default", "temperature=0.07"))
    assert own.height > 0
    assert own.equals(swept)


def test_classes_are_scored_too(tmp_path):
    inputs = inputs_of(tmp_path, STUDY, synthetic_features(n=600, classes=3))
    fill(inputs, scaled({"trml": 0.02}, 0.9))
    by_id = evaluated(inputs, tmp_path / "evaluation")
    assert (by_id["C1"]["verdict"], by_id["C1"]["metric"]) == ("supported", "accuracy")
    metrics = read_json(tmp_path / "evaluation" / "metrics.json")
    assert [m["name"] for m in metrics] == ["accuracy", "f1_weighted", "f1_macro"]
    summary = pl.read_parquet(tmp_path / "evaluation" / "summary.parquet")
    constant = summary.filter(method="constant", metric="accuracy", present="all")["value"].unique()
    index = pl.read_parquet(inputs.features / "index.parquet")
    train, test = (index.filter(split=split)["label"] for split in ("train", "test"))
    assert constant.to_list() == pytest.approx([(test == train.mode().min()).mean()])


def test_damage_in_the_store_is_named(inputs):
    cell, other = inputs.distinct_cells()[:2]
    fill(inputs, lambda *_: 0.5, [cell, other])
    shard = shard_of(cell)
    path = shard / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(StoreError, match="its checksum differs") as damage:
        read_cell(cell)
    assert f"{shard}: predictions.parquet" in str(damage.value)
    assert "snakemake --cores all" in str(damage.value)
    assert not is_done(cell)  # withdrawn: the next run trains it again
    shard = shard_of(other)
    (record,) = read_json(shard / RECORDS).values()
    write_json(shard / RECORDS, {other.digest: {**record, "digest": "0" * 12}})
    write_sums(shard)
    with pytest.raises(StoreError, match=f"what it holds as cell {other.digest} is 000000000000"):
        read_cell(other)


def test_predictions_that_a_cell_lacks_are_named(inputs):
    cell = inputs.distinct_cells()[0]
    fill(inputs, lambda *_: 0.5, [cell])
    with pytest.raises(ContractError, match=r"no predictions of test with audio; there are: text\+vision, text, "):
        Evaluation(inputs).predicted_with(cell, "audio")


def test_predictions_of_other_utterances_are_refused(tmp_path, inputs):
    other = inputs_of(tmp_path / "other", features=synthetic_features(n=240))
    cell, same = inputs.distinct_cells()[0], other.distinct_cells()[0]
    fill(other, lambda *_: 0.5, [same])
    shutil.copytree(shard_of(same), cell.store / "copied")
    with pytest.raises(ContractError, match="are not of the 100 test utterances of"):
        Evaluation(inputs).predicted_with(cell, "text")


def test_a_failed_training_is_shown_as_failed_and_never_as_a_number(inputs, tmp_path):
    fill(inputs, lambda *_: 0.4)
    cell = inputs.cell("trml", "default", "vision", 0.5, 0.5, 2)
    withdraw(shard_of(cell))
    write_failed(cell)
    by_id = evaluated(inputs, tmp_path / "evaluation")
    metrics = pl.read_parquet(tmp_path / "evaluation" / "metrics.parquet")
    of_cell = metrics.filter(pl.col("cell") == cell.digest)
    assert of_cell["value"].null_count() == of_cell.height > 0
    assert metrics.filter(pl.col("cell") != cell.digest)["value"].null_count() == 0
    summary = pl.read_parquet(tmp_path / "evaluation" / "summary.parquet")
    about = {"method": "trml", "victim": "vision", "rate": 0.5}
    matrix = pl.read_parquet(tmp_path / "evaluation" / "matrix.parquet")
    pairs = pl.read_parquet(tmp_path / "evaluation" / "pairs.parquet").filter(victim="vision", rate=0.5)
    assert set(pairs.filter(protocol="matched", first="trml")["verdict"]) == {"failed"}
    for rows in (summary.filter(protocol="matched", variant="default", **about), matrix.filter(**about)):
        assert rows["failed"].to_list() == [1] * rows.height
        assert rows["value"].null_count() == rows.height > 0
        assert not rows["leads"].any()
    here = [c for c in by_id["C1"]["comparisons"] if (c["victim"], c["rate"]) == ("vision", 0.5)]
    assert {(c["verdict"], c["effect"]) for c in here} == {("failed", None)}
    assert by_id["C1"]["verdict"] != "supported"


def test_a_failed_training_is_in_no_interval(inputs, tmp_path):
    fill(inputs, lambda *_: 0.4)
    cell = inputs.cell("zero_fill", "default", "text", 0.5, 0.5, 1)
    withdraw(shard_of(cell))
    write_failed(cell)
    evaluated(inputs, tmp_path / "evaluation")
    for name in ("summary", "robustness", "matrix"):
        table = pl.read_parquet(tmp_path / "evaluation" / f"{name}.parquet")
        for column in ("value", "low", "high"):
            assert not table[column].is_nan().any(), name


def test_training_on_complete_data_is_summarised_under_its_own_protocol(tmp_path):
    inputs = inputs_of(tmp_path, replace(STUDY, training="complete", complete=(), study_rate=1.0))
    fill(inputs, lambda _, present: 0.2 if present == "text+vision" else 0.7)
    evaluated(inputs, tmp_path / "evaluation")
    summary = pl.read_parquet(tmp_path / "evaluation" / "summary.parquet").filter(method="trml", metric="mae")
    assert set(summary.filter(protocol="matched")["rate"]) == {0.0}
    assert set(summary.filter(protocol="complete")["rate"]) == {0.5, 1.0}
    assert set(summary["trained"]) == {0.0}
    assert set(summary.filter(variant="no_l_v")["protocol"]) == {"complete"}
    robustness = pl.read_parquet(tmp_path / "evaluation" / "robustness.parquet")
    assert robustness.filter(method="trml", protocol="complete", measure="relative", metric="mae")["value"].min() > 0.2


def test_trainings_that_are_one_cell_are_scored_once(inputs):
    cells = inputs.distinct_cells()
    assert all(isinstance(cell, Cell) for cell in cells)
    assert len({cell.digest for cell in cells}) == len(cells) < len(inputs.cells)


# --- what there is to reach ------------------------------------------------------------------------------


def test_ceiling_mixes_as_a_pooled_predictor_does(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.normal(size=400_000)
    # Conditional means of a signal that is seen through noise.
    seen = {"text+vision": 0.8 * (y + rng.normal(size=len(y)) * 0.5)}
    seen["vision"] = 0.25 * (y + rng.normal(size=len(y)) * np.sqrt(3))
    rows = [{"present": k, "metric": "corr", "value": np.corrcoef(y, v)[0, 1]} for k, v in seen.items()]
    pl.DataFrame(rows).write_parquet(tmp_path / "ceiling.parquet")
    lost = rng.random(len(y)) < 0.3
    pooled = np.corrcoef(y, np.where(lost, seen["vision"], seen["text+vision"]))[0, 1]
    text = missing_pattern("text", PAIR)
    assert Ceiling(tmp_path).at("corr", text, 0.3, PAIR) == pytest.approx(pooled, abs=3e-3)
    assert Ceiling(tmp_path / "none").at("corr", text, 0.3, PAIR) is None
    assert Ceiling(tmp_path).at("mae", text, 0.3, PAIR) is None


def test_a_ceiling_mixes_by_the_shares_of_what_is_left(tmp_path):
    values = {"text+vision": 0.1, "text": 0.5, "vision": 0.9}
    pl.DataFrame([{"present": k, "metric": "mae", "value": v} for k, v in values.items()]).write_parquet(
        tmp_path / "ceiling.parquet"
    )
    ceiling, at = Ceiling(tmp_path), {}
    for name in ("vision", "text", "random_modality", "frames"):
        at[name] = [ceiling.at("mae", missing_pattern(name, PAIR), rate, PAIR) for rate in (0.0, 0.5, 1.0)]
    assert at["vision"] == pytest.approx([0.1, 0.3, 0.5])
    assert at["text"] == pytest.approx([0.1, 0.5, 0.9])
    assert at["random_modality"] == pytest.approx([0.1, 0.4, 0.7])
    assert at["frames"] == [0.1, None, 0.5]  # of half the frames nobody knows it


def write_generated_corpus(folder, features, redundancy):
    """Write a corpus that knows its ceiling and its redundancy."""
    shutil.rmtree(folder)
    write_utterances(folder, features, redundancy=redundancy)
    best = {"text+vision": 0.1, "text": 0.4}
    rows = [{"present": k, "metric": "mae", "value": v} for k, v in best.items()]
    pl.DataFrame(rows).write_parquet(folder / "ceiling.parquet")


def test_what_is_recovered_and_who_is_misled(tmp_path):
    """Half of the way from the constant predictor to the label is recovered; worse than the sentence is misled."""
    study = replace(STUDY, dataset="half", purpose="redundancy", rates=(0.5,), victims=("vision",))
    inputs = inputs_of(tmp_path / "half", study)
    features = read_features(inputs.features)
    write_generated_corpus(inputs.corpus, features, 0.5)
    label, constant = features.index["label"].to_numpy(), float(Evaluation(inputs).constant[0, 0])
    for cell in inputs.distinct_cells():
        shrunk = {"trml": 0.5, "zero_fill": -1.0}.get(cell.spec.method, 0.0)  # of the way to the label
        predictions = {
            (split, present): constant + shrunk * (label[features.rows(split)] - constant)
            for split in ("valid", "test")
            for present in ("text+vision", "text", "vision")
        }
        write(cell, predictions, features)
    own = replace(inputs_of(tmp_path), others=(inputs,))
    fill(own, lambda *_: 0.5)
    evaluated(own, tmp_path / "evaluation")
    rows = pl.read_parquet(tmp_path / "evaluation" / "redundancy.parquet")
    assert rows["method"].to_list() == [method.name for method in study.methods]
    trml, misled, single = (
        rows.row(by_predicate=pl.col("method") == name, named=True)
        for name in ("trml", "zero_fill", "supervised_single")
    )
    assert trml["value"] == pytest.approx(trml["constant"] / 2, abs=1e-4)
    share = (trml["constant"] - trml["value"]) / (trml["constant"] - 0.4)
    assert (trml["recovered"], trml["redundancy"]) == (pytest.approx(share), 0.5)
    assert trml["recovered_low"] < trml["recovered"] < trml["recovered_high"]
    assert (trml["ceiling"], trml["complete_ceiling"], trml["against_single"]) == (0.4, 0.1, "better")
    assert (misled["against_single"], single["against_single"]) == ("worse", None)
    assert misled["above_constant"] == pytest.approx(misled["constant"], abs=1e-4)
    assert evaluated(inputs, tmp_path / "alone") == {}
