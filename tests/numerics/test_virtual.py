"""The virtual vectors of trained cells: of complete utterances, for the victims that the method makes up."""

from dataclasses import replace

import numpy as np
import pytest

from helpers.small_methods import Small
from helpers.stored import write_cell
from helpers.synthetic_features import PAIR, SETTINGS, TRIPLE, synthetic_features
from helpers.synthetic_training import CPU, bare_cell, cell, run
from trml.features.contract import View
from trml.methods.contract import Draw
from trml.training.virtual import complete_utterances, makes_virtual, virtual_pairs


class Imagines(Small):
    """Makes up the vision from the text and what it draws."""

    @classmethod
    def draws(cls, shape, options):
        return {"noise": Draw(8)}

    def virtual(self, batch):
        hidden = self.hidden(batch)
        return {"vision": (hidden["text"] + batch.draws["noise"], hidden["vision"])}


def stored(cells, features, folder):
    """Train cells and store them; return them with their store."""
    ids = {s: features.index["utterance_id"].gather(features.rows(s)).to_list() for s in ("valid", "test")}
    cells = [replace(c, store=folder) for c in cells]
    outcomes = run(cells, features)
    for c in cells:
        write_cell(c, outcomes[c.digest], ids)
    return cells


def lacking(features, modality, utterances):
    """Return the features without a modality of some utterances."""
    mask = features.signals[modality].mask.copy()
    mask[utterances] = False
    view = View(features.signals[modality].values, mask)
    return replace(features, signals={**features.signals, modality: view})


@pytest.mark.parametrize("modalities", [PAIR, TRIPLE], ids=["two", "three"])
def test_pairs_of_the_proposed_method(params, tmp_path, modalities):
    features = lacking(synthetic_features(modalities=modalities), "vision", np.arange(80, 84))
    asked = {(missing, seed): cell(params, "trml", missing, 0.5, seed) for missing in modalities for seed in (1, 2)}
    cells = dict(zip(asked, stored(asked.values(), features, tmp_path), strict=True))
    places = complete_utterances(features)
    assert len(places) == 15 - 4
    pairs = virtual_pairs(cells, features, SETTINGS, CPU)
    assert [(pair.victim, pair.seed) for pair in pairs] == list(cells)
    for pair in pairs:
        assert pair.virtual.shape == pair.real.shape == (len(places), 8)
        assert np.isfinite(pair.virtual).all()
        assert (pair.virtual != pair.real).any()
    again = virtual_pairs(cells, features, replace(SETTINGS, batch_size=4), CPU)
    for one, other in zip(pairs, again, strict=True):
        np.testing.assert_allclose(one.virtual, other.virtual, atol=1e-5)


def test_draws_are_those_of_the_split_and_other_victims_are_left_out(tmp_path):
    features = synthetic_features()
    asked = [bare_cell("test_virtual.Imagines", {"hidden": 8}, missing, 0.5) for missing in PAIR]
    text, vision = stored(asked, features, tmp_path)
    (pair,) = virtual_pairs({("text", 2020): text, ("vision", 2020): vision}, features, SETTINGS, CPU)
    assert (pair.victim, pair.real.shape) == ("vision", (15, 8))
    (again,) = virtual_pairs({("vision", 2020): vision}, features, replace(SETTINGS, batch_size=4), CPU)
    np.testing.assert_allclose(pair.virtual, again.virtual, atol=1e-5)


def test_which_methods_make_up_vectors(params):
    assert makes_virtual(params.methods["trml"].target)
    assert makes_virtual("test_virtual.Imagines")
    assert not makes_virtual(params.methods["zero_fill"].target)
