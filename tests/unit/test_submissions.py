"""Predictions of other people's code: in tables and claims where they fit, refused by name where they do not."""

import gzip
from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest
import yaml

from helpers.command import ended
from helpers.synthetic_cells import STUDY, evaluated, fill, inputs_of
from trml.base.artifacts import write_json
from trml.base.errors import ContractError
from trml.cli.main import main
from trml.evaluation.config import Submitted
from trml.evaluation.predictions import Evaluation
from trml.evaluation.submissions import read_submission

CARD = {
    "label": "Oracle with noise",
    "authors": "A. Author",
    "reference": "https://example.org/paper",
    "trained_on": "train",
    "selected_on": "dev",
    "read_test_labels": False,
}


def submission(folder, table, card=CARD):
    folder.mkdir(parents=True)
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    table.write_parquet(folder / "predictions.parquet")
    return folder


def made(evaluation, error, seeds=(None,), trained=("",)):
    """Return predictions that are the labels and an error: by what is present, seed and training."""
    parts = []
    for name, seed, present in product(trained, seeds, evaluation.protocol.present):
        prediction = evaluation.label + error(present, seed, name)
        about = {"present": present, "seed": seed, "trained": name or None}
        table = pl.DataFrame({"utterance_id": evaluation.ids, "prediction": prediction})
        parts.append(table.with_columns(**{key: pl.lit(value) for key, value in about.items() if value is not None}))
    return pl.concat(parts)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """What evaluation reads of a study. Not to be changed."""
    inputs = inputs_of(tmp_path_factory.mktemp("study"))
    fill(inputs, lambda *_: 0.5)
    return inputs


def with_submission(inputs, folder, table):
    submission(folder / "theirs", table)
    study = replace(inputs.study, submitted=(Submitted("theirs", CARD["label"], "0"),))
    return replace(inputs, study=study, submissions=folder)


def test_a_submission_has_a_row_in_every_table_and_a_claim_of_its_own(inputs, tmp_path):
    before = evaluated(inputs, tmp_path / "without")
    table = made(Evaluation(inputs), lambda present, *_: 0.001 if present == "text+vision" else 0.002)
    claims = evaluated(with_submission(inputs, tmp_path / "submissions", table), tmp_path / "with")
    summary = pl.read_parquet(tmp_path / "with/summary.parquet").filter(metric="mae", present="all")
    theirs, ours = (summary.filter(method=name, variant="default") for name in ("theirs", "trml"))
    assert theirs.height == ours.height
    assert theirs["role"].unique().to_list() == ["submitted"]
    half = theirs.filter(protocol="matched", victim="vision", rate=0.5)["value"].item()
    assert half == pytest.approx(0.0015, abs=2e-4)
    for name in ("pairs", "robustness", "aggregates"):
        column = "first" if name == "pairs" else "method"
        rows = pl.read_parquet(tmp_path / f"with/{name}.parquet")
        assert "theirs" in {*rows[column], *(rows["second"] if name == "pairs" else ())}
    assert {row["verdict"] for row in claims["S1"]["comparisons"]} == {"worse"}
    assert {row["against"] for row in claims["S1"]["comparisons"]} == {"theirs"}
    assert {name: claim for name, claim in claims.items() if name != "S1"} == before
    assert "S1" not in before


def test_seeds_and_trainings_of_their_own_are_told_apart(inputs, tmp_path):
    """Each number stands where its seed and training is asked for."""
    evaluation = Evaluation(inputs)
    trained = tuple(evaluation.protocol.trained)
    table = made(evaluation, lambda _, seed, name: 0.1 * seed + 0.01 * trained.index(name), STUDY.seeds, trained)
    evaluation = Evaluation(with_submission(inputs, tmp_path / "submissions", table))
    for condition in evaluation.grid(STUDY.victims):
        name = f"{condition.victim}@{condition.trained:g}"
        predictions = evaluation.submitted_under(condition)["theirs"] - evaluation.label
        expected = 0.1 * np.array(STUDY.seeds) + 0.01 * trained.index(name)
        assert np.allclose(predictions, expected[:, None], atol=1e-3)


def replaced(column, row, value):
    return lambda t: t.with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (replaced("utterance_id", 3, "test_9"), "row 4: utterance_id 'test_9' is not in the test split of synthetic"),
        (replaced("present", 2, "smell"), "row 3: present 'smell' is not known; expected text+vision, text, vision"),
        (replaced("prediction", 1, float("nan")), "row 2: prediction nan is not a finite number"),
        (lambda t: pl.concat([t, t[:2]]), "is there twice (1 more row like it)"),
        (lambda t: t[1:], "present 'text+vision': 99 utterances; expected all 100"),
        (lambda t: t.with_columns(seed=7), "seed 7 is not of the experiment; expected 1, 2, 3"),
        (lambda t: t.with_columns(seed=1), "seeds [1]; expected [1, 2, 3], or no column seed"),
        (lambda t: t.with_columns(trained=pl.lit("vision@0.4")), "trained 'vision@0.4' is not known; expected compl"),
        (lambda t: t.with_columns(split=pl.lit("valid")), "split 'valid' is not test"),
        (lambda t: t.drop("prediction"), "lacks prediction; expected the columns"),
        (lambda t: t.rename({"present": "presnt"}), "has unknown 'presnt'; did you mean 'present'?"),
        (lambda t: t[:0], "it has no rows"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(inputs, tmp_path, harm, words):
    evaluation = Evaluation(inputs)
    folder = submission(tmp_path / "theirs", harm(made(evaluation, lambda *_: 0.0)))
    with pytest.raises(ContractError) as error:
        read_submission(folder, evaluation.protocol, evaluation.ids)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ({**CARD, "read_test_labels": True}, "tables hold only what was not fitted on test labels"),
        ({key: CARD[key] for key in CARD if key != "authors"}, "authors: Field required"),
        ({**CARD, "selected_on": "test"}, "selected_on: Input should be 'dev', 'train' or 'nothing'"),
    ],
)
def test_a_card_must_be_whole(inputs, tmp_path, card, words):
    evaluation = Evaluation(inputs)
    folder = submission(tmp_path / "theirs", made(evaluation, lambda *_: 0.0), card)
    with pytest.raises(ContractError, match=words):
        read_submission(folder, evaluation.protocol, evaluation.ids)


def test_the_verb_adds_what_fits_and_nothing_else(inputs, tmp_path, capsys, monkeypatch, raw):
    evaluated(inputs, tmp_path / "evaluation")
    result = tmp_path / "results/study"
    result.mkdir(parents=True)
    (tmp_path / "evaluation/predictions").rename(result / "predictions")
    write_json(result / "manifest.json", {})
    (result / "params.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.chdir(tmp_path)
    table = made(Evaluation(inputs), lambda *_: 0.0)
    submission(tmp_path / "My-Model", table)
    main(["submit", "My-Model", "--dry-run"])
    assert "Valid: 100 utterances, 3 seeds, 5 of 5 training conditions. Nothing was added" in capsys.readouterr().out
    assert not (tmp_path / "submissions").exists()
    main(["submit", "My-Model", "--to", "study"])
    added = tmp_path / "submissions/study/my_model"
    assert {path.name for path in added.iterdir()} == {"card.yaml", "predictions.parquet"}
    for arguments, words in (
        (["My-Model"], "submissions/study/my_model exists"),
        (["My-Model", "--as", "TRML"], "'trml' is a method of study"),
        (["Nothing"], "card.yaml is absent"),
        (["My-Model", "--to", "other"], "there are no results other: results/ has study"),
    ):
        code, _, err = ended(capsys, "submit", *arguments)
        assert code
        assert words in err


def test_a_compressed_csv_is_not_unpacked(inputs, tmp_path):
    """Polars would unpack it, whatever its size."""
    evaluation = Evaluation(inputs)
    folder = submission(tmp_path / "theirs", pl.DataFrame())
    (folder / "predictions.parquet").unlink()
    (folder / "predictions.csv").write_bytes(gzip.compress(b"utterance_id,present,prediction\n" * 100, mtime=1 << 31))
    with pytest.raises(ContractError, match=r"theirs/predictions.csv line 1: "):
        read_submission(folder, evaluation.protocol, evaluation.ids)


def test_classes_are_submitted_by_their_number(inputs, tmp_path):
    evaluation = Evaluation(inputs)
    protocol = replace(evaluation.protocol, task="classification", classes=["a", "b", "c"], per_unit=1.0)
    sound = made(evaluation, lambda *_: 0.0).with_columns(prediction=pl.lit(2))
    read = read_submission(submission(tmp_path / "theirs", sound), protocol, evaluation.ids)
    assert {float(value) for value in np.unique(read.by_trained[""]["text"])} == {2.0}
    for value, words in (
        (3, "3.0 is not the number of a class; expected 0 to 2"),
        (0.5, "0.5 is not the number of a c"),
    ):
        table = sound.with_columns(prediction=pl.lit(value))
        with pytest.raises(ContractError, match=words):
            read_submission(submission(tmp_path / f"theirs{value}", table), protocol, evaluation.ids)


def test_ids_of_a_csv_stay_what_they_are(inputs, tmp_path):
    """`007` is an id, not a number."""
    evaluation = Evaluation(inputs)
    ids = [f"{i:03}" for i in range(len(evaluation.ids))]
    table = made(evaluation, lambda *_: 0.0).with_columns(
        utterance_id=pl.Series(ids * len(evaluation.protocol.present))
    )
    folder = submission(tmp_path / "theirs", table)
    (folder / "predictions.parquet").unlink()
    table.write_csv(folder / "predictions.csv")
    assert read_submission(folder, evaluation.protocol, ids).by_trained[""]["text"].shape == (3, len(ids))
