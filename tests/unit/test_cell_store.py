"""The cell store: what a training leaves goes round; what is absent, another's or damaged is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from trml.base.errors import StoreError
from trml.training.contract import Cell, CellSpec, Outcome, Predicted, read_cell, write_cell

SPEC = CellSpec("m", "default", "x.Y", {"hidden": 8}, "vision", 0.5, 0.5, 2020)
IDS = {"valid": ["a", "b"], "test": ["c", "d", "e"]}
HISTORY = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 2.0}, {"epoch": 1, "train_loss": 0.5, "dev_loss": 1.5}]


def cell(folder: Path) -> Cell:
    return Cell(SPEC, "abc", folder / "m" / "cell")


def outcome(spread: bool = False, classes: int = 0) -> Outcome:
    def predicted(n: int) -> Predicted:
        return Predicted(
            np.arange(n, dtype=np.float32),
            np.full(n, 0.5, dtype=np.float32) if spread else None,
            np.full((n, classes), 1 / classes, dtype=np.float32) if classes else None,
        )

    predictions = {(s, p): predicted(len(IDS[s])) for s in IDS for p in ("text+vision", "text")}
    return Outcome(predictions, HISTORY, 1, b"weights", 12)


def test_a_cell_goes_round(tmp_path):
    c = cell(tmp_path)
    assert not c.is_done
    write_cell(c, outcome(), IDS, [], {"device": "cpu"})
    assert c.is_done
    record, predictions = read_cell(c)
    assert predictions.columns == ["utterance_id", "split", "present", "prediction", "spread"]
    assert predictions.schema["prediction"] == predictions.schema["spread"] == pl.Float32
    assert predictions["spread"].null_count() == predictions.height == 10
    test = predictions.filter(split="test", present="text")
    assert (test["utterance_id"].to_list(), test["prediction"].to_list()) == (["c", "d", "e"], [0.0, 1.0, 2.0])
    assert (record["missing"], record["best_epoch"], record["epochs_run"], record["parameters"]) == ("vision", 1, 2, 12)
    assert (record["device"], record["digest"], record["failed"]) == ("cpu", "abc", None)
    assert pl.read_parquet(c.folder / "history.parquet")["dev_loss"].to_list() == [2.0, 1.5]
    assert (c.folder / "checkpoint.safetensors").read_bytes() == b"weights"


def test_spreads_and_probabilities_are_columns(tmp_path):
    write_cell(cell(tmp_path), outcome(spread=True, classes=2), IDS, ["low", "high"], {})
    predictions = read_cell(cell(tmp_path))[1]
    assert predictions.columns[-2:] == ["p_low", "p_high"]
    assert predictions["spread"].to_list() == [0.5] * 10
    assert predictions["p_high"].to_list() == [0.5] * 10


def test_a_failed_training_has_neither_predictions_nor_weights(tmp_path):
    failed = Outcome({}, HISTORY, -1, b"", 0, "the dev loss was nan in epoch 1")
    write_cell(cell(tmp_path), failed, IDS, [], {})
    record, predictions = read_cell(cell(tmp_path))
    assert (record["failed"], predictions) == ("the dev loss was nan in epoch 1", None)
    assert not (cell(tmp_path).folder / "checkpoint.safetensors").exists()


def test_an_absent_or_foreign_cell_is_named(tmp_path):
    c = cell(tmp_path)
    with pytest.raises(StoreError, match=r"m/cell/cell.json is absent. Create it: snakemake --cores all"):
        read_cell(c)
    write_cell(c, outcome(), IDS, [], {})
    with pytest.raises(StoreError, match=r"m/cell: it holds cell abc; expected other. Have it trained again"):
        read_cell(replace(c, digest="other"))


def test_a_damaged_cell_is_withdrawn(tmp_path):
    c = cell(tmp_path)
    write_cell(c, outcome(), IDS, [], {})
    (c.folder / "history.parquet").write_bytes(b"x")
    with pytest.raises(StoreError, match=r"m/cell: history.parquet changed .* Have it trained again: snakemake"):
        read_cell(c)
    assert not c.is_done
    write_cell(c, outcome(), IDS, [], {})
    assert read_cell(c)[0]["digest"] == "abc"


def test_names_say_what_was_trained(tmp_path):
    assert cell(tmp_path).name == "m/default-vision-0.5-2020-abc"
    assert replace(SPEC, dev_rate=1.0).name == "m/default-vision-0.5-dev-1-2020"
    assert replace(SPEC, missing=None, rate=0.0, dev_rate=0.0).name == "m/default-none-0-2020"
