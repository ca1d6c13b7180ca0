"""The cell store: what a training leaves goes round; what is absent, another's or damaged is named."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers.stored import write_cell
from trml.base.artifacts import read_json, write_json, write_sums
from trml.base.errors import StoreError
from trml.training.contract import Cell, CellSpec, Outcome, Predicted
from trml.training.store import (
    RECORDS,
    cells_of,
    history_of,
    is_done,
    pack,
    read_cell,
    shard_of,
    shards,
    weights_of,
    write_cells,
)

SPEC = CellSpec("m", "default", "x.Y", {"hidden": 8}, "vision", 0.5, 0.5, 2020)
IDS = {"valid": ["a", "b"], "test": ["c", "d", "e"]}
HISTORY = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 2.0}, {"epoch": 1, "train_loss": 0.5, "dev_loss": 1.5}]


WEIGHTS = {"head": np.arange(12, dtype=np.float32).reshape(3, 4), "steps": np.array(7)}


def cell(folder: Path, digest: str = "abc", **spec: object) -> Cell:
    return Cell(replace(SPEC, **spec), digest, folder / "cells")


def outcome(spread: bool = False, classes: int = 0) -> Outcome:
    def predicted(n: int) -> Predicted:
        return Predicted(
            np.arange(n, dtype=np.float32),
            np.full(n, 0.5, dtype=np.float32) if spread else None,
            np.full((n, classes), 1 / classes, dtype=np.float32) if classes else None,
        )

    predictions = {(s, p): predicted(len(IDS[s])) for s in IDS for p in ("text+vision", "text")}
    return Outcome(predictions, HISTORY, 1, WEIGHTS, 12)


def same_weights(weights: dict[str, np.ndarray]) -> None:
    assert weights.keys() == WEIGHTS.keys()
    assert all((weights[name] == value).all() and weights[name].dtype == value.dtype for name, value in WEIGHTS.items())


def test_a_cell_goes_round(tmp_path):
    c = cell(tmp_path)
    assert not is_done(c)
    write_cell(c, outcome(), IDS, [], {"device": "cpu"})
    assert is_done(c)
    record, predictions = read_cell(c)
    assert predictions.columns == ["utterance_id", "split", "present", "prediction", "spread"]
    assert predictions.schema["prediction"] == predictions.schema["spread"] == pl.Float32
    assert predictions["spread"].null_count() == predictions.height == 10
    test = predictions.filter(split="test", present="text")
    assert (test["utterance_id"].to_list(), test["prediction"].to_list()) == (["c", "d", "e"], [0.0, 1.0, 2.0])
    assert (record["missing"], record["best_epoch"], record["epochs_run"], record["parameters"]) == ("vision", 1, 2, 12)
    assert (record["device"], record["digest"], record["failed"]) == ("cpu", "abc", None)
    assert history_of(c)["dev_loss"].to_list() == [2.0, 1.5]
    same_weights(weights_of(c))


def test_spreads_and_probabilities_are_columns(tmp_path):
    write_cell(cell(tmp_path), outcome(spread=True, classes=2), IDS, ["low", "high"], {})
    predictions = read_cell(cell(tmp_path))[1]
    assert predictions.columns[-2:] == ["p_low", "p_high"]
    assert predictions["spread"].to_list() == [0.5] * 10
    assert predictions["p_high"].to_list() == [0.5] * 10


def test_a_failed_training_has_neither_predictions_nor_weights(tmp_path):
    failed = Outcome({}, HISTORY, -1, {}, 0, "the dev loss was nan in epoch 1")
    write_cell(cell(tmp_path), failed, IDS, [], {})
    record, predictions = read_cell(cell(tmp_path))
    assert (record["failed"], predictions) == ("the dev loss was nan in epoch 1", None)
    assert weights_of(cell(tmp_path)) == {}


def test_an_absent_or_foreign_cell_is_named(tmp_path):
    c = cell(tmp_path)
    with pytest.raises(
        StoreError, match=r"cells has no cell m/default-vision-0.5-2020-abc. Have it trained: snakemake"
    ):
        read_cell(c)
    write_cell(c, outcome(), IDS, [], {})
    shard = shard_of(c)
    (record,) = read_json(shard / RECORDS).values()
    write_json(shard / RECORDS, {"abc": {**record, "digest": "other"}})
    write_sums(shard)
    with pytest.raises(StoreError, match=r"what it holds as cell abc is other. Have it trained again"):
        read_cell(c)
    assert not is_done(c)


def test_a_damaged_cell_is_withdrawn(tmp_path):
    c = cell(tmp_path)
    write_cell(c, outcome(), IDS, [], {})
    read_cell(c)
    (shard_of(c) / "history.parquet").write_bytes(b"x")
    with pytest.raises(StoreError, match=r"history.parquet changed .* Have its cells trained again: snakemake"):
        read_cell(c)
    assert not is_done(c)
    write_cell(c, outcome(), IDS, [], {})
    assert read_cell(c)[0]["digest"] == "abc"


def test_names_say_what_was_trained(tmp_path):
    assert cell(tmp_path).name == "m/default-vision-0.5-2020-abc"
    assert replace(SPEC, dev_rate=1.0).name == "m/default-vision-0.5-dev-1-2020"
    assert replace(SPEC, missing=None, rate=0.0, dev_rate=0.0).name == "m/default-none-0-2020"


def several(folder: Path) -> list[Cell]:
    return [cell(folder, name, seed=seed) for seed, name in enumerate(["abc", "bcd", "cde", "def"])]


def test_cells_of_a_block_become_one_shard(tmp_path):
    """Each reads as it did: cells with spreads, failed ones, and one that was predicted from fewer modalities."""
    cells = several(tmp_path)
    fewer = replace(outcome(), predictions={k: v for k, v in outcome().predictions.items() if k[1] == "text"})
    failed = Outcome({}, HISTORY[:1], -1, {}, 0, "the dev loss was nan in epoch 1")
    left = [outcome(), outcome(spread=True), fewer, failed]
    write_cells([(cells[0], left[0]), (cells[3], left[3])], IDS, [], {"wall_s": 1})
    write_cells([(cells[1], left[1])], IDS, [], {"wall_s": 2})
    write_cells([(cells[2], left[2])], IDS, [], {"wall_s": 3})
    before = [(*read_cell(c), history_of(c)) for c in cells]
    pack(cells)
    assert len(shards(cells[0].store)) == 1
    for c, (record, table, history), of_cell in zip(cells, before, left, strict=True):
        again, packed = read_cell(c)
        assert again == record
        assert packed is None if table is None else packed.equals(table)
        assert history_of(c).equals(history)
        assert weights_of(c) == {} if of_cell.failed else not same_weights(weights_of(c))
    assert read_cell(cells[2])[1]["present"].unique().to_list() == ["text"]
    assert read_cell(cells[1])[1]["spread"].to_list() == [0.5] * 10
    written = (shard_of(cells[0]) / RECORDS).stat().st_mtime_ns
    pack(cells)
    assert (shard_of(cells[0]) / RECORDS).stat().st_mtime_ns == written


def test_a_shard_with_cells_of_other_blocks_stays(tmp_path):
    first, second, third, other = several(tmp_path)
    write_cells([(first, outcome()), (other, outcome())], IDS, [], {})
    write_cell(second, outcome(), IDS)
    write_cell(third, outcome(), IDS)
    pack([first, second, third])
    assert shard_of(second) == shard_of(third) != shard_of(first) == shard_of(other)


def test_the_order_in_which_cells_end_moves_no_byte_of_a_packed_shard(tmp_path):
    def packed(name: str, turns: list[int]) -> bytes:
        cells = several(tmp_path / name)
        for i in turns:
            write_cells([(cells[i], outcome(spread=i % 2 == 0))], IDS, [], {"wall_s": 1})
        pack(cells)
        return b"".join(path.read_bytes() for path in sorted(shard_of(cells[0]).iterdir()))

    assert packed("one", [0, 1, 2, 3]) == packed("other", [3, 1, 0, 2])


def test_another_process_s_shards_are_seen(tmp_path):
    """What is remembered of a store is read again when the store has other shards."""
    first, second, *_ = several(tmp_path)
    write_cell(first, outcome(), IDS)
    assert not is_done(second)
    theirs = replace(second, store=tmp_path / "theirs")
    write_cell(theirs, outcome(), IDS)
    shutil.copytree(shard_of(theirs), second.store / shard_of(theirs).name)
    assert is_done(second)
    (shard_of(first) / RECORDS).unlink()
    assert not is_done(first)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]", b"{", b""])
def test_records_that_cannot_be_read_hold_no_cell(tmp_path, content):
    c = cell(tmp_path)
    write_cell(c, outcome(), IDS)
    shard = shard_of(c)
    (shard / RECORDS).write_bytes(content)
    assert cells_of(shard) == []
