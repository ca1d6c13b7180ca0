"""Cells applied to utterances as if they were new predict what the store holds; Shapley values and neighbours."""

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
import torch

from helpers.stored import block_of
from helpers.synthetic_cells import STUDY, inputs_of
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import CPU
from trml.features.contract import View, read_features
from trml.training.applied import neighbours, predicted, shapley, with_new, without
from trml.training.data import load_data
from trml.training.store import read_cell
from trml.training.worker import train_block

SHORT = replace(SETTINGS, epochs=2, patience=2)


@pytest.fixture(scope="module")
def trained(default_raw, tmp_path_factory):
    """A training a method with vision missing, or of what knows none such, by name, and their features."""
    folder = tmp_path_factory.mktemp("cells")
    options = {name: dict(each["options"], hidden=8) for name, each in default_raw["methods"].items()}
    methods = tuple(replace(m, options=options[m.name], variants=()) for m in STUDY.methods)
    inputs = inputs_of(folder, replace(STUDY, methods=methods, seeds=(1,)), synthetic_features(n=120, tokens=4))
    cells = {}
    for cell in inputs.distinct_cells():
        if cell.spec.missing in (None, "vision"):
            cells.setdefault(cell.spec.method, cell)
    train_block(block_of(folder, list(cells.values()), inputs.features, SHORT), CPU)
    return cells, read_features(inputs.features)


def new(features, rows, changed=lambda view: view):
    """The utterances in these rows as if they were new."""
    views = {name: changed(View(view.values[rows], view.mask[rows])) for name, view in features.named_views().items()}
    return with_new(load_data(features, CPU, torch.float32), views)


def stored(cell, present):
    return read_cell(cell)[1].filter(split="test", present=present)["prediction"].to_numpy()


@pytest.mark.parametrize("gone", [set(), {"vision"}])
def test_new_utterances_get_the_predictions_of_the_store(trained, gone):
    cells, features = trained
    data = without(new(features, features.rows("test")), gone)
    present = "text" if gone else "text+vision"
    for name, cell in cells.items():
        np.testing.assert_allclose(predicted(cell, data, SHORT).value, stored(cell, present), atol=1e-5, err_msg=name)


def test_a_prediction_depends_on_no_other_utterance_and_on_no_padding(trained):
    cells, features = trained
    rows = features.rows("test")[3:5]

    def padded(view):
        more = [(0, 0), (0, 3)]
        return View(np.pad(view.values, [*more, (0, 0)]), np.pad(view.mask, more))

    for name, cell in cells.items():
        found = predicted(cell, new(features, rows, padded), SHORT).value
        np.testing.assert_allclose(found, stored(cell, "text+vision")[3:5], atol=1e-5, err_msg=name)


def test_an_absent_modality_may_have_no_width(trained):
    cells, features = trained
    data = load_data(features, CPU, torch.float32)
    rows = features.rows("test")
    views = {name: View(view.values[rows], view.mask[rows]) for name, view in features.named_views().items()}
    for name in [each for each in views if each.startswith("vision")]:
        views[name] = View(views[name].values[:, :, :0], np.zeros_like(views[name].mask))
    absent = {name: view for name, view in views.items() if not name.startswith("vision")}
    for name, cell in cells.items():
        for given in (views, absent):
            found = predicted(cell, with_new(data, given), SHORT).value
            np.testing.assert_allclose(found, stored(cell, "text"), atol=1e-5, err_msg=name)


def test_neighbours_are_the_most_similar_real_vectors(trained):
    cells, features = trained
    lacking = without(new(features, features.rows("test")), {"vision"})
    known = new(features, features.rows("train"))
    found = neighbours(cells["trml"], lacking, known, "vision", SHORT, 3)
    assert found.rows.shape == found.cosine.shape == (len(features.rows("test")), 3)
    assert (np.diff(found.cosine) <= 0).all() and (np.abs(found.cosine) <= 1 + 1e-9).all()
    assert neighbours(cells["zero_fill"], lacking, known, "vision", SHORT, 3) is None
    # What stands in for vision must not depend on the vision that is not there.
    there = neighbours(cells["trml"], new(features, features.rows("test")), known, "vision", SHORT, 3)
    np.testing.assert_array_equal(found.rows, there.rows)


def test_shapley_values_are_the_mean_gains_over_all_orders():
    rng, names = np.random.default_rng(0), ("audio", "text", "vision")
    value = {frozenset(s): rng.normal(size=(4, 1)) for n in range(4) for s in combinations(names, n)}
    found = shapley(value, names)
    for name in names:
        gains = []
        for order in permutations(names):
            before = frozenset(order[: order.index(name)])
            gains.append(value[before | {name}] - value[before])
        np.testing.assert_allclose(found[name], np.mean(gains, axis=0))
    np.testing.assert_allclose(sum(found.values()), value[frozenset(names)] - value[frozenset()])
