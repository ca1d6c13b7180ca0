"""An exported model: its folder predicts what the store holds, and its card has the scores and what hubs read."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.numpy import load_file

from helpers.stored import block_of
from helpers.synthetic_cells import STUDY, inputs_of
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import CPU
from trml.base.artifacts import read_json, write_json
from trml.base.errors import ConfigError, StoreError
from trml.features.contract import read_features
from trml.planning.models import exported_cell
from trml.planning.plan import plans
from trml.report.model_card import licence_of, write_model_card
from trml.training.again import batches
from trml.training.data import load_data
from trml.training.model_folder import CONFIG, WEIGHTS, load_model, write_model
from trml.training.store import read_cell, weights_of
from trml.training.worker import train_block

SHORT = replace(SETTINGS, epochs=2, patience=2)


@pytest.fixture(scope="module")
def trained(default_raw, tmp_path_factory):
    """One training a method, by name, with the features they were trained on."""
    folder = tmp_path_factory.mktemp("models")
    options = {name: dict(each["options"], hidden=8) for name, each in default_raw["methods"].items()}
    methods = tuple(replace(m, options=options[m.name], variants=()) for m in STUDY.methods)
    inputs = inputs_of(folder, replace(STUDY, methods=methods, seeds=(1,)), synthetic_features(n=120, tokens=4))
    cells = {}
    for cell in inputs.distinct_cells():
        if not method_is_single(inputs, cell) or cell.spec.missing == "vision":
            cells.setdefault(cell.spec.method, cell)
    job = replace(block_of(folder, list(cells.values()), inputs.features, SHORT), about={"corpus": "made-0123456789ab"})
    train_block(job, CPU)
    return cells, read_features(inputs.features)


def method_is_single(inputs, cell):
    return inputs.study.by_name[cell.spec.method].single


def test_a_folder_predicts_what_the_store_holds(trained, tmp_path):
    cells, features = trained
    assert len(cells) == len(STUDY.methods)
    data = load_data(features, CPU, torch.float32)
    for name, cell in cells.items():
        folder = tmp_path / name
        folder.mkdir()
        config = write_model(cell, features, folder)
        assert config == read_json(folder / CONFIG) and config["training"]["method"] == name
        weights = load_file(folder / WEIGHTS)
        assert weights.keys() == weights_of(cell).keys()
        method = load_model(folder)
        found = torch.cat([method(batch) for batch in batches(method, cell, data, SHORT)]).squeeze(-1).numpy()
        _, table = read_cell(cell)
        stored = table.filter(split="test", present="text+vision")["prediction"].to_numpy()
        np.testing.assert_allclose(found, stored, atol=1e-5, err_msg=name)


@pytest.fixture
def published(trained, tmp_path):
    """What a card reads of published results."""
    folder = tmp_path / "results/study"
    (folder / "cards").mkdir(parents=True)
    write_json(folder / "manifest.json", {"experiment": "study"})
    rows = [
        {
            "cell": trained[0]["trml"].digest,
            "variant": "default",
            "condition": condition,
            "metric": metric,
            "value": value,
        }
        for condition, metric, value in (
            ("complete", "mae", 0.25),
            ("complete", "corr", 0.9),
            ("vision@0.5", "mae", 0.5),
        )
    ]
    pl.DataFrame(rows).write_csv(folder / "metrics.csv")
    write_json(folder / "cards/made.croissant.json", {"license": ["https://spdx.org/licenses/MIT.html", "MIT, here"]})
    return folder


@pytest.mark.parametrize("terms", ["", "Research alone."])
def test_the_card_has_the_scores_of_the_cell(trained, published, terms, tmp_path):
    cells, features = trained
    config = write_model(cells["trml"], features, tmp_path)
    licence = licence_of(published, "made")
    write_model_card(tmp_path, config, published, "TRML", licence, terms, "@misc{zhao2024trml,\n}")
    card = ModelCard.load(tmp_path / "README.md")
    found = {(each.dataset_config, each.metric_type): each.metric_value for each in card.data.eval_results}
    assert found == {("complete", "mae"): 0.25, ("complete", "corr"): 0.9, ("vision@0.5", "mae"): 0.5}
    assert card.data.license == ("other" if terms else "mit") and card.data.model_name == "trml-study-trml"
    for words in ("| vision@0.5 | mae | 0.500 |", "MIT, here", "zhao2024trml", terms):
        assert words in card.text
    with pytest.raises(StoreError, match=r"metrics.csv has no scores of cell"):
        other = {**config, "training": {**config["training"], "digest": "0" * 12}}
        write_model_card(tmp_path, other, published, "TRML", licence, terms, "")


def test_which_training_is_exported(params):
    small = replace(params, datasets={}, studies=False)
    plan = plans(small)[0]
    cell = exported_cell(plan, "trml")
    assert (cell.spec.variant, cell.spec.rate, cell.spec.seed) == ("default", 0.0, plan.study.seeds[0])
    single = exported_cell(plan, "supervised_single")
    assert single.spec.missing == plan.study.single_victims[0]
    last = [cell for cell in plan.cells if cell.spec.method == "mfm"][-1]
    assert exported_cell(plan, "mfm", last.digest) == last != exported_cell(plan, "mfm")
    with pytest.raises(ConfigError, match="method mfm has no cell 000000000000"):
        exported_cell(plan, "mfm", "0" * 12)
    with pytest.raises(ConfigError, match=r"no method trmll.*trml"):
        exported_cell(plan, "trmll")
