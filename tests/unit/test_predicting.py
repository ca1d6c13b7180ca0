"""What `trml predict` prints of a prediction."""

import csv
import io
from types import SimpleNamespace

import pytest

from trml.api.predictor import Prediction, Predictor
from trml.cli import predicting

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
