"""Damaged artifacts: each of thirty kinds and places is named, withdrawn, and can be made again."""

import json
import os
import shutil

import pytest

from helpers.planned_cells import fill, small_plan
from trml.base.artifacts import SUMS, WHOLE
from trml.base.errors import StoreError
from trml.planning.integrity import CHECKED, say_what_is_done, withdraw_damaged
from trml.training.store import CELLS, is_done, shard_of, weights_of

FILES = ("predictions.parquet", "history.parquet", "checkpoints.safetensors", CELLS, SUMS)


@pytest.fixture
def plan(raw, tmp_path):
    """A plan with all its cells in the store."""
    plan = small_plan(raw, tmp_path)
    fill(plan.cells)
    return plan


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x20
    path.write_bytes(content)


def flip_quietly(path):
    """Flip one bit and keep size and modification time; only the inode tells."""
    times = path.stat()
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    flip(copy)
    copy.replace(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def flip_in_place(path):
    """Flip one bit and keep size, inode and modification time; only the time of change tells."""
    times = path.stat()
    flip(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def remove(path):
    path.unlink()


def append(path):
    path.write_bytes(path.read_bytes() + b"\n")


HARMS = [truncate, empty, flip, flip_quietly, flip_in_place, remove, append]


@pytest.mark.parametrize("harm", HARMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", FILES)
def test_damage_is_named_and_withdrawn(plan, capsys, harm, name):
    cell, block = plan.cells[7], next(b for b in plan.blocks.values() if plan.cells[7] in b.cells)
    blocks = [(plan, each) for each in plan.blocks.values()]
    say_what_is_done(blocks)
    assert all(each.done.exists() and each.weights.exists() for each in plan.blocks.values())
    withdraw_damaged([plan], plan.work)
    assert "again" not in capsys.readouterr().err
    shard = shard_of(cell)
    harm(shard / name)
    withdraw_damaged([plan], plan.work)
    said = capsys.readouterr().err
    assert f"{shard}: " in said
    assert said.count("trained again") == 1
    assert not is_done(cell)
    assert sum(map(is_done, plan.cells)) == len(plan.cells) - 1
    say_what_is_done(blocks)
    for path in ("done", "weights"):
        assert [getattr(b, path).exists() for _, b in blocks] == [b is not block for _, b in blocks]


def test_a_verified_folder_is_not_read_again(plan, monkeypatch):
    withdraw_damaged([plan], plan.work)
    read = []
    monkeypatch.setattr("trml.planning.integrity.damage", read.append)
    withdraw_damaged([plan], plan.work)
    assert read == []
    os.utime(shard_of(plan.cells[0]) / CELLS, ns=(1, 1))
    withdraw_damaged([plan], plan.work)
    assert read == [shard_of(plan.cells[0])]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}'])
def test_a_damaged_note_of_what_was_checked_only_costs_time(plan, content, capsys):
    (plan.work / CHECKED).write_text(content)
    withdraw_damaged([plan], plan.work)
    assert "again" not in capsys.readouterr().err
    assert len(json.loads((plan.work / CHECKED).read_text())) == len(plan.cells)


def test_what_dvc_leaves_out_may_be_absent(plan, capsys):
    """Without its weights a cell is done, but not for a stage that reads them."""
    blocks = [(plan, each) for each in plan.blocks.values()]
    say_what_is_done(blocks)
    probed = next(cell for cell in plan.cells if cell.digest in plan.restored)
    other = next(cell for cell in plan.cells if cell.digest not in plan.restored)
    for cell in (probed, other):
        for name in (WHOLE, "checkpoints.safetensors"):
            (shard_of(cell) / name).unlink()
    withdraw_damaged([plan], plan.work)
    say_what_is_done(blocks)
    assert "again" not in capsys.readouterr().err
    assert is_done(probed) and is_done(other) and not is_done(other, with_weights=True)
    assert all(block.done.exists() for _, block in blocks)
    assert [block.weights.exists() for _, block in blocks] == [probed not in block.cells for _, block in blocks]
    with pytest.raises(StoreError, match="has no weights of cell"):
        weights_of(probed)
    (shard_of(other) / "predictions.parquet").unlink()  # that may not be absent
    withdraw_damaged([plan], plan.work)
    assert "predictions.parquet is absent; its cells are trained again" in capsys.readouterr().err
    (shard_of(plan.cells[0]) / "checkpoints.safetensors").unlink()  # of a whole one
    withdraw_damaged([plan], plan.work)
    assert "checkpoints.safetensors is absent" in capsys.readouterr().err
