"""Linear models that every method should beat, against scikit-learn by hand; and one number a method."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from helpers.synthetic_cells import STUDY, fill, inputs_of, scaled
from helpers.synthetic_features import in_two_draws, synthetic_features
from trml.base.errors import ContractError
from trml.evaluation.aggregates import aggregates
from trml.evaluation.axes import axes
from trml.evaluation.predictions import Evaluation
from trml.evaluation.references import PENALTIES, read_references, references
from trml.evaluation.summary import Summary
from trml.training.data import load_data


def test_ridge_is_scikit_learns_with_the_penalty_that_is_best_on_dev(tmp_path):
    features = synthetic_features(n=600)
    evaluation = Evaluation(inputs_of(tmp_path, STUDY, features))
    rows = {split: features.rows(split) for split in ("train", "valid", "test")}
    values, mask = features.signals["vision"]
    pooled = np.stack(
        [v[m].mean(axis=0) if m.any() else np.zeros(v.shape[1]) for v, m in zip(values, mask, strict=True)]
    )
    x = np.column_stack([pooled, mask.any(axis=1)])
    label = features.index["label"].to_numpy().astype(float)
    scaler = StandardScaler().fit(x[rows["train"]])
    models = [Ridge(alpha=a).fit(scaler.transform(x[rows["train"]]), label[rows["train"]]) for a in PENALTIES]
    errors = [np.abs(m.predict(scaler.transform(x[rows["valid"]])) - label[rows["valid"]]).mean() for m in models]
    expected = models[int(np.argmin(errors))].predict(scaler.transform(x[rows["test"]]))
    ours = evaluation.references["ridge"]["vision"]
    assert ours.shape == (3, len(rows["test"]))
    assert ours[0] == pytest.approx(expected, abs=1e-6)
    assert set(evaluation.references["ridge"]) == {"text+vision", "text", "vision"}


def test_references_of_other_utterances_or_seeds_are_refused(tmp_path):
    inputs = inputs_of(tmp_path)
    evaluation = Evaluation(inputs)
    assert evaluation.references.keys() == {"ridge", "tfidf"}
    for ids, seeds in ((evaluation.ids[1:], evaluation.seeds), (evaluation.ids, [*evaluation.seeds[1:], 99])):
        with pytest.raises(ContractError, match="references: predictions are not of the"):
            read_references(inputs.references, ids, seeds)


def test_words_tell_what_they_tell(tmp_path):
    """Where the label is in the words, TF-IDF finds it, and in none of the rows without text."""
    features = synthetic_features(n=600)
    inputs = inputs_of(tmp_path, STUDY, features)
    label = features.index["label"].to_numpy()
    words = np.array(["awful", "bad", "good", "great"])[np.digitize(label, np.quantile(label, [0.25, 0.5, 0.75]))]
    path = inputs.corpus / "utterances.parquet"
    table = pl.read_parquet(path)
    of_id = dict(zip(features.index["utterance_id"], words, strict=True))
    text = [f"a {of_id[name]} film" for name in table["utterance_id"]]
    table.with_columns(text=pl.Series(text)).write_parquet(path)
    made = references(STUDY, inputs.corpus, inputs.features)
    assert set(made["tfidf"]) == {"text+vision", "text"}
    on_test = made["tfidf"]["text"][0]
    assert np.corrcoef(on_test, label[features.rows("test")])[0, 1] > 0.9


def test_a_corpus_without_texts_has_no_words(tmp_path):
    inputs = inputs_of(tmp_path)
    path = inputs.corpus / "utterances.parquet"
    pl.read_parquet(path).with_columns(text=pl.lit(None, pl.String)).write_parquet(path)
    assert set(references(STUDY, inputs.corpus, inputs.features)) == {"ridge"}


def test_references_have_the_labels_that_trainings_have(tmp_path, monkeypatch):
    features = in_two_draws(synthetic_features(n=300))
    study, rows = replace(STUDY, labels=12, label_noise=0.5), []
    inputs = inputs_of(tmp_path, study, features)
    monkeypatch.setattr("trml.evaluation.references._Fit.on", lambda self, columns, every, **_: rows.append(every))
    assert references(study, inputs.corpus, inputs.features)
    train = load_data(features, torch.device("cpu"), torch.float32).splits["train"]
    for seed, of_seed in zip(study.seeds, rows[0], strict=True):
        label = train.given_labels("synthetic", 12, 0.5, seed).numpy()
        kept = np.flatnonzero(~np.isnan(label))
        assert of_seed.train.tolist() == features.rows("train")[kept].tolist()
        assert of_seed.label == pytest.approx(label[kept])


def test_references_stand_in_the_summary_and_among_the_pairs(tmp_path):
    inputs = inputs_of(tmp_path)
    fill(inputs, lambda *_: 0.4)
    summary = Summary(Evaluation(inputs))
    assert set(summary.rows.filter(role="reference")["method"]) == {"ridge", "tfidf"}
    pairs = summary.pairs.filter(second="ridge", metric="mae", present="all", victim="vision", rate=0.5)
    assert set(pairs["first"]) == set(STUDY.by_name)
    assert set(summary.pairs["first"]).isdisjoint({"ridge"})


def test_one_number_runs_from_the_constant_to_the_upper_bound(tmp_path):
    """The upper bound on complete data is one, whoever else is there; a worse method has a worse rank."""
    inputs = inputs_of(tmp_path)
    fill(inputs, scaled({"supervised_double": 0.1, "trml": 0.1, "zero_fill": 0.8}, 0.4))
    evaluation = Evaluation(inputs)
    rows, pairs = aggregates(evaluation, Summary(evaluation).curves)
    of = {(r["method"], r["victim"]): r for r in rows.iter_rows(named=True)}
    assert of["supervised_double", "all"]["value"] == pytest.approx(1, abs=0.02)
    assert of["trml", "all"]["value"] == pytest.approx(
        np.mean([of["trml", victim]["value"] for victim in ("vision", "text")])
    )
    assert of["trml", "all"]["rank"] == of["supervised_double", "all"]["rank"] == 1
    assert of["zero_fill", "all"]["rank"] == len(STUDY.methods)
    alone = replace(inputs, study=replace(STUDY, methods=tuple(m for m in STUDY.methods if m.role != "baseline")))
    kept, _ = aggregates(Evaluation(alone), Summary(Evaluation(alone)).curves)
    assert kept.filter(method="trml", victim="all")["value"][0] == pytest.approx(of["trml", "all"]["value"])
    pair = pairs.filter(victim="all", first="trml", second="zero_fill").row(0, named=True)
    assert (pair["probability"], pair["verdict"]) == (1.0, "better")


def renamed(cells):
    """Return the cells of other recipes."""
    return {training: replace(cell, digest=cell.digest[::-1]) for training, cell in cells.items()}


def test_points_of_an_axis_are_scored_beside_the_own_protocol(tmp_path):
    """By models that were trained with a modality missing, on all test utterances without it."""
    own = inputs_of(tmp_path / "own")
    axis = {"dataset": "by_label", "purpose": "axis", "absence": "by_label"}
    naive = inputs_of(tmp_path / "naive", replace(STUDY, **axis))
    weighted = inputs_of(tmp_path / "weighted", replace(STUDY, **{**axis, "dataset": "weighted"}, weighted=True))
    weighted = replace(weighted, cells=renamed(weighted.cells))
    for inputs, error in ((own, 0.3), (naive, 0.9), (weighted, 0.3)):
        fill(inputs, lambda *_, error=error: error)
    rows = axes(Evaluation(replace(own, others=(naive, weighted))))
    assert axes(Evaluation(own)) is None
    trml = rows.filter(method="trml", victim="vision").sort("dataset", nulls_last=False)
    assert trml["dataset"].to_list() == [None, "by_label", "weighted"]
    assert trml["value"].to_list() == pytest.approx([0.24, 0.72, 0.24], abs=0.08)  # of normal errors, sqrt(2 / pi) sd
    assert trml["against_unweighted"].to_list() == [None, None, "better"]
    assert trml["labels"].to_list() == [Evaluation(own).labelled] * 3
    before = axes(Evaluation(replace(own, others=(weighted, naive))))  # in whichever order
    assert before.filter(method="trml", dataset="weighted")["against_unweighted"].to_list() == ["better"] * 2
    same = replace(weighted, cells=naive.cells)  # the same cells are not compared with themselves
    rows = axes(Evaluation(replace(own, others=(naive, same))))
    assert rows["against_unweighted"].null_count() == rows.height
