"""The search on dev: the same trials for every method, and the lowest dev loss chosen."""

from collections import Counter
from copy import deepcopy

import numpy as np
import polars as pl
import pytest
import yaml
from test_results import small_plan

from trml.base.errors import StoreError
from trml.config.load import check
from trml.missing.conditions import conditions
from trml.planning.plan import SEARCH_SEEDS, TRIALS, plans, searched
from trml.training.contract import write_cell
from trml.training.selection import choose, show
from trml.training.stack_run import Outcome


@pytest.fixture
def plan(raw, tmp_path):
    return small_plan(raw, tmp_path)


def fill(plan, loss_of):
    """Put the trainings of the search into the store, with the dev losses that `loss_of(cell)` says."""
    index = pl.read_parquet(plan.features / "index.parquet")
    ids = {s: index.filter(pl.col("split") == s)["utterance_id"].to_list() for s in ("valid", "test")}
    for cell in {cell.digest: cell for b in plan.search_blocks.values() for cell in b.cells}.values():
        losses = [loss_of(cell) + 1, loss_of(cell), loss_of(cell) + 0.5]
        history = [{"epoch": i, "train_loss": 1.0, "dev_loss": loss} for i, loss in enumerate(losses)]
        predictions = {key: np.zeros(len(ids[key[0]]), dtype=np.float32) for key in conditions(cell)}
        write_cell(plan, cell, Outcome(predictions, history, 1, {}), ids, {"device": "cpu", "wall_s": 0.1})


def test_every_method_has_as_many_trials_and_tries_each_value_about_as_often(params, plan):
    every = plans(params)[0].trials
    assert set(every) == set(params.methods)
    for method, trials in every.items():
        assert len(trials) == TRIALS
        for option, values in params.methods[method].search.items():
            counts = Counter(trial[option] for trial in trials.values())
            assert set(counts) == set(values)
            assert max(counts.values()) - min(counts.values()) <= 1
    used = {cell.seed for trials in plan.trial_cells.values() for cells in trials.values() for cell in cells}
    assert used == set(SEARCH_SEEDS)
    assert not used & set(plan.params.protocol.seeds)


def test_the_lowest_mean_dev_loss_is_chosen(plan):
    best = plan.trials["trml"]["trial-5"]

    def loss_of(cell):
        if cell.method == "trml" and best.items() <= cell.options.items():
            return 0.1
        return 0.5 if cell.victim == "vision" else 0.7

    fill(plan, loss_of)
    found = choose(plan)
    assert set(found) == set(plan.params.methods)
    assert found["trml"]["options"] == best
    assert found["trml"]["dev_loss"] == pytest.approx(0.1)
    assert found["trml"]["median_dev_loss"] == pytest.approx(0.6)
    assert {entry["trials"] for entry in found.values()} == {TRIALS}
    assert yaml.safe_load(show(plan, found)) == found


def test_an_absent_training_is_named_with_what_to_do(plan):
    with pytest.raises(StoreError, match=r"a training of the search on dev. Make it: make search"):
        choose(plan)


def test_a_further_dataset_has_a_search_of_its_own_and_keeps_what_it_chose(raw):
    chosen = {"trml": {"trials": 8, "dev_loss": 0.3, "median_dev_loss": 0.4, "options": {"learning_rate": 0.009}}}
    of = {"corpus": deepcopy(raw["corpus"]), "encoder": deepcopy(raw["encoder"])}
    raw["also"] = {
        "apart": {**of, "study": "alignment", "chosen": chosen},
        "made": {**of, "study": "redundancy"},
    }
    own, apart, made = plans(check(raw))
    assert searched([own, apart, made]) == [own, apart]
    assert apart.params.methods["trml"].options["learning_rate"] == 0.009
    for name in raw["methods"]:
        expected = own.params.methods[name].options | (chosen["trml"]["options"] if name == "trml" else {})
        assert apart.params.methods[name].options == expected
        assert made.params.methods[name].options == own.params.methods[name].options
    assert apart.params.chosen != own.params.chosen
