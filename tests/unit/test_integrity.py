"""Damaged artifacts: each of thirty kinds and places is named, withdrawn, and can be made again."""

import copy
import json
import os
import shutil

import pytest

from conftest import ROOT
from helpers.planned_cells import fill, small_plan
from trml.base.artifacts import BULK, SUMS, WHOLE
from trml.base.errors import StoreError
from trml.planning.integrity import CHECKED, say_what_is_done, withdraw_damaged
from trml.training.store import RECORDS, is_done, shard_of, weights_of

FILES = ("predictions.parquet", "history.parquet", "checkpoints.safetensors", RECORDS, SUMS)


@pytest.fixture(scope="module")
def filled(default_raw, tmp_path_factory):
    """A plan with all its cells in the store."""
    plan = small_plan(copy.deepcopy(default_raw), tmp_path_factory.mktemp("filled"))
    fill(plan)
    return plan


@pytest.fixture
def plan(filled, tmp_path):
    """The same; what a test does to it is undone."""
    shutil.copytree(filled.work, tmp_path / "kept")
    yield filled
    shutil.rmtree(filled.work)
    shutil.copytree(tmp_path / "kept", filled.work)


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
    assert [is_done(each) for each in plan.cells] == [each not in block.cells for each in plan.cells]
    say_what_is_done(blocks)
    for path in ("done", "weights"):
        assert [getattr(b, path).exists() for _, b in blocks] == [b is not block for _, b in blocks]


def test_a_verified_folder_is_not_read_again(plan, monkeypatch):
    withdraw_damaged([plan], plan.work)
    read = []
    monkeypatch.setattr("trml.planning.integrity.damage", read.append)
    withdraw_damaged([plan], plan.work)
    assert read == []
    os.utime(shard_of(plan.cells[0]) / RECORDS, ns=(1, 1))
    withdraw_damaged([plan], plan.work)
    assert read == [shard_of(plan.cells[0])]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}'])
def test_a_damaged_note_of_what_was_checked_only_costs_time(plan, content, capsys):
    (plan.work / CHECKED).write_text(content)
    withdraw_damaged([plan], plan.work)
    assert "again" not in capsys.readouterr().err
    assert len(json.loads((plan.work / CHECKED).read_text())) == len(plan.blocks)


def test_what_dvc_leaves_out_may_be_absent(plan, capsys):
    """Without its weights a cell is done, but not for a stage that reads them."""
    blocks = [(plan, each) for each in plan.blocks.values()]
    say_what_is_done(blocks)
    for cell in plan.cells:
        for name in (WHOLE, "checkpoints.safetensors"):
            (shard_of(cell) / name).unlink(missing_ok=True)
    withdraw_damaged([plan], plan.work)
    say_what_is_done(blocks)
    assert "again" not in capsys.readouterr().err
    assert all(is_done(cell) and not is_done(cell, with_weights=True) for cell in plan.cells)
    assert all(block.done.exists() for _, block in blocks)
    probed = [any(cell.digest in plan.restored for cell in block.cells) for _, block in blocks]
    assert True in probed and False in probed
    assert [block.weights.exists() for _, block in blocks] == [not each for each in probed]
    with pytest.raises(StoreError, match="has no weights of cell"):
        weights_of(plan.cells[0])


@pytest.mark.parametrize(("name", "left_out"), [("predictions.parquet", True), ("checkpoints.safetensors", False)])
def test_what_dvc_keeps_may_not_be_absent_nor_anything_of_a_whole_folder(plan, capsys, name, left_out):
    shard = shard_of(plan.cells[0])
    if left_out:
        (shard / WHOLE).unlink()
    (shard / name).unlink()
    withdraw_damaged([plan], plan.work)
    assert f"{shard}: {name} is absent; its cells are trained again" in capsys.readouterr().err


def test_dvc_leaves_out_what_may_be_absent():
    lines = (ROOT / ".dvcignore").read_text().splitlines()
    left_out = {line.removeprefix("/work/**/") for line in lines if line.startswith("/work/")}
    assert left_out == {pattern.removesuffix("*") if pattern == "media/*" else pattern for pattern in BULK}
