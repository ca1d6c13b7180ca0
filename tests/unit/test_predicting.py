"""What `trml predict` prints of a prediction."""

import csv
import io
from types import SimpleNamespace

import pytest

from trml.api.predictor import Prediction, Predictor
from trml.base.errors import CommandError
from trml.cli import predicting
from trml.corpora.checking.batch import items_of

FOUND = Prediction(("text",), 1.5, 0.1, {1: 1.4, 2: 1.6}, None, {}, {"text": 1.2}, 0.3)


def models(classes=(), **of_corpus):
    """Trained models as far as words about their predictions ask for them."""
    plan = SimpleNamespace(
        params=SimpleNamespace(corpus=SimpleNamespace(name="own", **of_corpus), encoder=None),
        study=SimpleNamespace(by_name={"trml": SimpleNamespace(label="TRML")}),
        encoder=None,
    )
    made = Predictor(plan, "trml")
    made.__dict__["_features"] = SimpleNamespace(info=SimpleNamespace(classes=classes, modalities=["text", "vision"]))
    return made


@pytest.mark.parametrize(("reach", "words"), [([1.0, 5.0], " (4.000 on 1..5)"), ([-3.0, 3.0], ""), (None, "")])
def test_a_score_is_also_given_in_the_range_of_the_labels_that_were_brought(reach, words):
    own = models() if reach is None else models(label_range=reach)
    first = next(predicting._words(own, "own", FOUND))
    assert first == f"+1.500 on -3..3{words}, spread 0.100 over 2 seeds (TRML, own). Vision missing."
    document = predicting._document(own, "own", FOUND)
    assert document["own_scale"] == ({"value": 4.0, "low": 1.0, "high": 5.0} if words else None)


def test_a_csv_has_it_as_a_column(capsys):
    predicting._print_csv([{"text": "a"}], [FOUND], models(label_range=[1.0, 5.0]))
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["prediction"], row["on_own_scale"], row["spread"]) == ("1.500000", "4.000000", "0.100000")
    predicting._print_csv([{"text": "a"}], [FOUND], models(label_range=[-3.0, 3.0]))
    assert "on_own_scale" not in capsys.readouterr().out


def test_classes_have_no_such_scale():
    assert models(["low", "high"], label_range=[1.0, 5.0]).label_range is None


def test_a_result_may_be_a_folder(tmp_path, monkeypatch):
    (tmp_path / "own/results/study").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert predicting._named("own/results/study") == ("own/results/study", "")
    assert predicting._named("own/results/study/zero_fill") == ("own/results/study", "zero_fill")
    assert predicting._named("study/zero_fill") == ("study", "zero_fill")
    assert predicting._named("") == ("", "")


def test_a_table_in_the_place_of_a_clip_is_one_for_csv():
    with pytest.raises(CommandError, match=r"my posts\.csv is a table; .*: trml predict --csv 'my posts\.csv'"):
        predicting.predict("my posts.csv")


def test_the_table_that_a_model_was_trained_on_is_taken_as_it_is(tmp_path):
    (tmp_path / "posts.csv").write_text("caption,stars\na,1\n")
    with pytest.raises(CommandError, match="has the columns caption, stars; expected text, clip"):
        items_of(tmp_path / "posts.csv", {})
    assert items_of(tmp_path / "posts.csv", {"text": "caption", "label": "stars"}) == [{"text": "a", "stars": "1"}]
    (tmp_path / "usual.csv").write_text("text,caption\na,b\n")
    assert items_of(tmp_path / "usual.csv", {"text": "caption"}) == [{"text": "a", "caption": "b"}]
