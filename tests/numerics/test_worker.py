"""A block: what is in the store stays, the rest is trained and stored, and torch runs as the recipes say."""

from dataclasses import replace

import polars as pl
import pytest
import torch

from helpers.small_methods import small_cells
from helpers.stored import write_cell
from helpers.synthetic_features import SETTINGS, synthetic_features
from helpers.synthetic_training import run
from trml.base.artifacts import WHOLE
from trml.base.errors import ContractError
from trml.features.writer import write_features
from trml.training.contract import BlockJob
from trml.training.store import is_done, read_cell, shard_of, shards, weights_of
from trml.training.worker import train_block

CPU = torch.device("cpu")


@pytest.fixture
def job(tmp_path):
    """A block of four cells on features of three classes."""
    (tmp_path / "features").mkdir()
    write_features(tmp_path / "features", synthetic_features(classes=3))
    cells = [replace(c, digest=f"d{i}", store=tmp_path / "cells") for i, c in enumerate(small_cells("Small"))]
    finished = tmp_path / "blocks" / "b.done", tmp_path / "blocks" / "b.weights"
    folders = finished, cells, {"d2"}, tmp_path / "features", tmp_path / "unfinished"
    return BlockJob("b", *folders, SETTINGS, {"experiment": "e"}, threads=torch.get_num_threads(), device="cpu")


def test_a_block_completes_the_store(job, capsys):
    features = synthetic_features(classes=3)
    expected = run(job.cells, features)
    ids = {s: features.index["utterance_id"].gather(features.rows(s)).to_list() for s in ("valid", "test")}
    stored = job.cells[1]
    write_cell(stored, expected[stored.digest], ids, features.info.classes, {"mark": "stored before"})
    train_block(job, CPU)
    assert "block b: 1 of 4 cells are in the store, 3 to train" in capsys.readouterr().err
    assert all(path.exists() for path in job.finished)
    assert not job.unfinished.exists()
    for c in job.cells:
        record, predictions = read_cell(c)
        assert ("mark" in record) == (c is stored)
        assert c is stored or (record["experiment"], record["device"]) == ("e", "cpu")
        on_test = predictions.filter(split="test", present="text")
        assert on_test["utterance_id"].to_list() == ids["test"]
        predicted = expected[c.digest].predictions["test", "text"]
        assert (on_test["prediction"].to_numpy() == predicted.value).all()
        assert (on_test.select(pl.col("^p_.*$")).to_numpy() == predicted.probabilities).all()
        weights = weights_of(c)
        assert weights.keys() == expected[c.digest].weights.keys()
        assert all((weights[name] == value).all() for name, value in expected[c.digest].weights.items())
    assert len(shards(job.cells[0].store)) == 1  # the one that was there is of this block too


@pytest.mark.parametrize("change", [{"threads": 7}, {"device": "cuda"}])
def test_torch_must_run_as_the_recipes_say(job, change):
    with pytest.raises(
        ContractError, match=r"block b: torch runs 1 threads on cpu; the recipes of its cells say [17] on"
    ):
        train_block(replace(job, **change), CPU)
    assert not any(path.exists() for path in job.finished)


def test_cells_whose_weights_are_wanted_are_trained_for_them(job, capsys):
    """As after `dvc pull`, which brings no weights: predictions are the same bytes, and the others are left."""
    train_block(job, CPU)
    shard, before = shard_of(job.cells[0]), {c.digest: read_cell(c)[1] for c in job.cells}
    for name in (WHOLE, "checkpoints.safetensors"):
        (shard / name).unlink()
    train_block(job, CPU)
    assert "block b: 3 of 4 cells are in the store, 1 to train" in capsys.readouterr().err
    assert [is_done(c, with_weights=True) for c in job.cells] == [c.digest == "d2" for c in job.cells]
    assert all(read_cell(c)[1].equals(before[c.digest]) for c in job.cells)
