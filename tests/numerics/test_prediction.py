"""Predictions: without a label, with seeded draws, a spread and class probabilities; and what a batch holds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.small_methods import Random, Small
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import CPU, bare_cell, run, run_one, same
from trml.base.errors import ConfigError, ContractError
from trml.methods.contract import Draw
from trml.missing.registry import missing_pattern
from trml.training.data import load_data, on_device
from trml.training.new_method import new_method
from trml.training.reference import train_one


class ReadsLabel(Small):
    def forward(self, batch):
        return super().forward(batch) + 0 * batch.label.unsqueeze(-1)

    def loss(self, batch, options):
        return (self(batch).squeeze(-1) - batch.label).abs().mean()


class ReadsLabelAlone(ReadsLabel):
    unstackable = "for a test"


class ReadsLosses(ReadsLabel):
    def forward(self, batch):
        return Small.forward(self, batch) + batch.losses.nan_to_num().sum()


class LabelInSpread(Small):
    def spread(self, batch):
        return batch.label


class Spread(Small):
    def spread(self, batch):
        return self(batch).squeeze(-1).abs() + 1


class SpreadAlone(Spread):
    unstackable = "for a test"


class Drawn(Small):
    """Predicts what it draws, whatever is there."""

    @classmethod
    def draws(cls, shape, options):
        return {"row": Draw(), "whole": Draw(varies="batch"), "own": Draw(shared="cell")}

    def forward(self, batch):
        return 0 * super().forward(batch) + batch.draws["row"] + batch.draws["whole"] + batch.draws["own"]


class Tokens(Small):
    views = "sequence"


class Two(Small):
    modalities = 2


class Prepared(Random):
    """Keeps how many complete utterances it was prepared with, and how high their draws were."""

    def __init__(self, shape, *, hidden):
        super().__init__(shape, hidden=hidden)
        self.register_buffer("n", torch.zeros(()))
        self.register_buffer("drawn", torch.zeros(()))

    def prepare(self, complete, seed):
        assert complete.losses.isnan().all()
        assert complete.draws["bias"].shape == (1,)
        self.n.fill_(len(complete.label))
        self.drawn.copy_(complete.draws["drop"].sum())


def of(kind, missing="vision", rate=0.5, seed=2020):
    return bare_cell(f"test_prediction.{kind.__name__}", {"hidden": 8}, missing, rate, seed)


@pytest.mark.parametrize("kind", [ReadsLabel, ReadsLabelAlone])
def test_a_prediction_that_reads_a_label_names_the_method(kind):
    words = rf"test_prediction.{kind.__name__}: forward reads the label; a prediction is made without one"
    with pytest.raises(ContractError, match=words):
        run([of(kind)], synthetic_features())
    with pytest.raises(ContractError, match=words):
        train_one(of(kind), synthetic_features(), SETTINGS, dtype=torch.float32)


def test_losses_and_spreads_are_held_to_the_same():
    with pytest.raises(ContractError, match=r"ReadsLosses: forward reads the losses; a prediction is made without one"):
        run([of(ReadsLosses)], synthetic_features())
    with pytest.raises(ContractError, match=r"LabelInSpread: spread reads the label; a prediction is made without one"):
        run([of(LabelInSpread)], synthetic_features())


def test_other_faults_of_a_method_stay_what_they_are():
    class Faulty(Small):
        def forward(self, batch):
            return batch.lable

    globals()["Faulty"] = Faulty
    with pytest.raises(AttributeError, match="lable"):
        run([of(Faulty)], synthetic_features())


@pytest.mark.parametrize("kind", [Spread, SpreadAlone])
def test_spread_is_kept_where_a_method_gives_it(kind):
    features, c = synthetic_features(), of(kind)
    ours, alone = run_one(c, features), train_one(c, features, SETTINGS, dtype=torch.float32)
    for key, predicted in ours.predictions.items():
        assert predicted.spread.shape == predicted.value.shape
        np.testing.assert_allclose(predicted.spread, np.abs(predicted.value) + 1, rtol=1e-6)
        np.testing.assert_allclose(predicted.spread, alone.predictions[key].spread, atol=1e-4)
        assert predicted.probabilities is None
    assert all(predicted.spread is None for predicted in run_one(of(Small), features).predictions.values())


def test_classes_have_probabilities():
    for predicted in run_one(of(Small), synthetic_features(classes=3)).predictions.values():
        assert predicted.probabilities.shape == (len(predicted.value), 3)
        np.testing.assert_allclose(predicted.probabilities.sum(axis=1), 1, rtol=1e-5)
        assert (predicted.probabilities.argmax(axis=1) == predicted.value).all()


def test_draws_at_evaluation_are_seeded_and_the_same_whatever_is_present():
    features = synthetic_features(modalities=TRIPLE)
    cells = [of(Drawn), of(Drawn, "text"), of(Drawn, seed=2021)]
    mine, other, later = (outcome.predictions for outcome in run(cells, features).values())
    for split in ("valid", "test"):
        of_split = [predicted.value for (name, _), predicted in mine.items() if name == split]
        assert len(of_split) == 7
        assert len({values.tobytes() for values in of_split}) == 1
        assert len(np.unique(of_split[0])) == len(of_split[0])
    assert (mine["test", "text"].value != other["test", "text"].value).any()  # what it draws for itself
    assert (mine["test", "text"].value != later["test", "text"].value).any()
    small_batches = run_one(cells[0], features, replace(SETTINGS, batch_size=7)).predictions
    assert all((small_batches[key].value == predicted.value).all() for key, predicted in mine.items())


def test_a_method_of_two_modalities_refuses_three():
    with pytest.raises(
        ConfigError, match=r"test_prediction.Two is defined for 2 modalities; the features have text, vision, audio"
    ):
        run([of(Two)], synthetic_features(modalities=TRIPLE))
    assert run_one(of(Two), synthetic_features()).failed is None


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
def test_a_sequence_view_has_tokens_where_there_are_any(modalities):
    features = synthetic_features(modalities=modalities, tokens=5)
    data = load_data(features, CPU, torch.float32, fill=float("nan"))
    assert data.shape("pooled").signals["text"] == (1, 8)
    assert data.shape("sequence").signals == {**data.shape("pooled").signals, "text": (5, 8)}
    cells = [of(Tokens), of(Tokens, "text", 0.7, 2021)]
    together = run(cells, features, fill=float("nan"))
    assert all(same(outcome, run_one(c, features)) for c, outcome in zip(cells, together.values(), strict=True))
    assert not same(together[cells[0].digest], run_one(of(Small), features))


def test_a_batch_holds_what_the_pattern_leaves_and_nothing_else():
    features = synthetic_features(modalities=TRIPLE, tokens=5)
    data = load_data(features, CPU, torch.float32, fill=float("nan"))
    train, rows = data.splits["train"], torch.arange(20)
    masked = train.masked("synthetic", missing_pattern("text+audio", TRIPLE), 0.5, 1, "by_chance")
    present = on_device({name: mask[:20] for name, mask in masked.items()}, CPU)
    for views in ("pooled", "sequence"):
        for name, signal in data.signals(views, train, rows, present).items():
            assert (signal.present == present[name].squeeze(-1)).all()
            assert (signal.values.isnan().all(-1) == ~signal.mask).all()
            assert (signal.share == signal.present).all()  # a whole modality or none of it
            left = signal.values[signal.mask]
            assert torch.allclose(left.mean(-1), torch.zeros(len(left)), atol=1e-5)
            assert torch.allclose(left.var(-1, unbiased=False), torch.ones(len(left)), atol=1e-3)


def test_share_is_of_the_steps_that_the_corpus_has():
    features = synthetic_features()
    data = load_data(features, CPU, torch.float32)
    train = data.splits["train"]
    masked = train.masked("synthetic", missing_pattern("frames", PAIR), 0.5, 1, "by_chance")
    signals = data.signals("pooled", train, torch.arange(train.n), on_device(masked, CPU))
    real, left = features.real(features.rows("train"))["vision"], masked["vision"]
    np.testing.assert_allclose(signals["vision"].share, left.sum(axis=1) / real.sum(axis=1))
    assert set(np.unique(signals["vision"].share)) > {0.0, 0.25, 1.0}
    assert (signals["text"].share == 1).all()


def test_a_method_is_prepared_with_complete_utterances_and_their_draws():
    features = synthetic_features()
    data = load_data(features, CPU, torch.float32)
    method, again = (new_method(of(Prepared), data, SETTINGS) for _ in range(2))
    assert method.n == 30
    assert method.drawn == again.drawn
    assert 5 < method.drawn < 25
