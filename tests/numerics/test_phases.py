"""What a method may ask of its training, each shown by a small method: against the plain loop, and the same bytes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.small_methods import KINDS, small_cells
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import bare_cell, run, run_one, same, weights_of
from trml.base.errors import ContractError
from trml.features.contract import View
from trml.methods.contract import Copy
from trml.missing.registry import missing_pattern
from trml.training.reference import train_one
from trml.training.stack import copied_names


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
@pytest.mark.parametrize("name", KINDS)
def test_many_agree_with_a_plain_loop_of_one(name, modalities):
    features, settings = synthetic_features(modalities=modalities), replace(SETTINGS, epochs=4)
    together = run(small_cells(name), features, settings, dtype=torch.float64)
    for c in small_cells(name):
        alone = train_one(c, features, settings, dtype=torch.float64)
        ours = together[c.digest]
        assert [h["train_loss"] for h in ours.history] == pytest.approx([h["train_loss"] for h in alone.history])
        assert [h["dev_loss"] for h in ours.history] == pytest.approx([h["dev_loss"] for h in alone.history])
        for key, predicted in alone.predictions.items():
            np.testing.assert_allclose(ours.predictions[key].value, predicted.value, atol=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_same_bytes_alone(name):
    features = synthetic_features()
    together = run(small_cells(name), features, replace(SETTINGS, chunk=None))
    for c in small_cells(name):
        assert same(run_one(c, features), together[c.digest])


def test_what_a_method_asks_for_changes_what_is_learned():
    features = synthetic_features()
    histories = {name: run_one(small_cells(name)[0], features).history for name in (*KINDS, "Small")}
    assert len({str(history) for history in histories.values()}) == len(histories)


def test_a_pass_sees_only_its_rows():
    """Complete utterances only: with all others' features and labels replaced, the same bytes."""
    features, settings = synthetic_features(), replace(SETTINGS, epochs=2)
    c = small_cells("WarmedUp")[0]
    rows = features.rows("train")
    lost = missing_pattern(c.spec.missing, PAIR).losing(SETTINGS.corpus, "train", c.spec.seed, c.spec.rate, len(rows))
    changed = rows[lost["vision"]]
    text, label = features.signals["text"].values.copy(), features.index["label"].to_numpy().copy()
    text[changed], label[changed] = 7.0, 2.5
    signals = {**features.signals, "text": View(text, features.signals["text"].mask)}
    other = replace(features, signals=signals, index=features.index.with_columns(label=label))
    assert run_one(c, features, settings).history == run_one(c, other, settings).history


def test_what_no_step_moves_stays():
    weights = weights_of(run_one(small_cells("OwnRates")[0], synthetic_features()))
    assert (weights["text.norm.weight"] == 1).all()  # its factor is 0
    assert (weights["head.bias"] != 0).all()


def test_a_pass_may_have_batches_of_its_own_size():
    """One walk in batches of eight is the training that has that size for all."""
    features = synthetic_features()
    own = bare_cell("helpers.small_methods.OwnBatches", {"hidden": 8, "walks": 1}, "vision", 0.5)
    plain = bare_cell("helpers.small_methods.Small", {"hidden": 8}, "vision", 0.5)
    mine = run_one(own, features, dtype=torch.float64)
    theirs = run_one(plain, features, replace(SETTINGS, batch_size=8), dtype=torch.float64)
    assert mine.history == [pytest.approx(epoch, rel=1e-9) for epoch in theirs.history]


def test_a_copy_is_of_the_parameters_before_the_epoch():
    """The teacher of three epochs is the head after the first, and no step has moved it."""
    features, c = synthetic_features(), small_cells("Distilled")[0]
    longer = run_one(c, features)
    assert longer.best_epoch > 0
    first, last = weights_of(run_one(c, features, replace(SETTINGS, epochs=1))), weights_of(longer)
    torch.testing.assert_close(last["teacher.weight"], first["head.weight"], rtol=1e-3, atol=0)
    assert (last["head.weight"] != last["teacher.weight"]).any()


def test_copies_name_their_parameters_or_what_is_wrong():
    names = ["head.weight", "head.bias", "teacher.weight"]
    with pytest.raises(ContractError, match=r"x.Y: `between` copies to teacher.bias, but there is no such parameter"):
        copied_names(names, [Copy("head.", "teacher.")], "x.Y")
    with pytest.raises(ContractError, match=r"x.Y: `between` copies from 'tail.', but no parameter's name starts with"):
        copied_names(names, [Copy("tail.", "teacher.")], "x.Y")
    assert copied_names(names, [Copy("head.weight", "teacher.weight")], "x.Y") == [("head.weight", "teacher.weight")]
