"""Damaged entries of the store: each of thirty kinds and places is named, withdrawn, and can be made again."""

import json
import os
import shutil

import pytest
from test_results import fill, plan  # noqa: F401  a fixture

from trml.base.artifacts import SUMS, damage, new_folder, write_json
from trml.planning.integrity import CHECKED, withdraw_damaged
from trml.training.contract import is_done

FILES = ("predictions.parquet", "history.parquet", "checkpoint.safetensors", "cell.json", SUMS)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x20
    path.write_bytes(content)


def flip_quietly(path):
    """One bit, with the size and the time of modification as they were; only the inode's change tells."""
    times = path.stat()
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    flip(copy)
    copy.replace(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def remove(path):
    path.unlink()


def append(path):
    path.write_bytes(path.read_bytes() + b"\n")


HARMS = [truncate, empty, flip, flip_quietly, remove, append]


@pytest.mark.parametrize("harm", HARMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", FILES)
def test_damage_is_named_and_withdrawn(plan, capsys, harm, name):  # noqa: F811
    fill(plan, lambda *_: 0.5)
    cell, block = plan.cells[7], next(b for b in plan.blocks.values() if plan.cells[7] in b.cells)
    for each in plan.blocks.values():
        write_json(each.path, {})
    shutil.rmtree(plan.features)
    withdraw_damaged([plan], plan.work)
    assert "made again" not in capsys.readouterr().err
    harm(plan.cell_folder(cell) / name)
    withdraw_damaged([plan], plan.work)
    said = capsys.readouterr().err
    assert f"{plan.cell_folder(cell)}: " in said
    assert said.count("made again") == 1
    assert not is_done(plan, cell)
    assert sum(is_done(plan, each) for each in plan.cells) == len(plan.cells) - 1
    assert [b.path.exists() for b in plan.blocks.values()] == [b is not block for b in plan.blocks.values()]


def test_what_was_found_whole_is_not_read_again(plan, monkeypatch):  # noqa: F811
    fill(plan, lambda *_: 0.5)
    shutil.rmtree(plan.features)
    withdraw_damaged([plan], plan.work)
    read = []
    monkeypatch.setattr("trml.planning.integrity.damage", read.append)
    withdraw_damaged([plan], plan.work)
    assert read == []
    os.utime(plan.cell_folder(plan.cells[0]) / "cell.json", ns=(1, 1))
    withdraw_damaged([plan], plan.work)
    assert read == [plan.cell_folder(plan.cells[0])]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}'])
def test_a_damaged_note_of_what_was_checked_only_costs_time(plan, content, capsys):  # noqa: F811
    fill(plan, lambda *_: 0.5)
    shutil.rmtree(plan.features)
    (plan.work / CHECKED).write_text(content)
    withdraw_damaged([plan], plan.work)
    assert "made again" not in capsys.readouterr().err
    assert len(json.loads((plan.work / CHECKED).read_text())) == len(plan.cells)


def test_sums_are_those_of_sha256sum(tmp_path):
    with new_folder(tmp_path / "made", "whole.json") as folder:
        (folder / "whole.json").write_text("{}")
        (folder / "deep").mkdir()
        (folder / "deep" / "a b.txt").write_text("x")
    assert damage(tmp_path / "made") is None
    assert os.system(f"cd {tmp_path / 'made'} && sha256sum --check --status {SUMS}") == 0
    (tmp_path / "made" / "deep" / "a b.txt").write_text("y")
    assert damage(tmp_path / "made") == "deep/a b.txt is not what was written (its checksum differs)"
