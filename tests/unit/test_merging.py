"""Trainings of several machines in one work/: what is new is brought, what both have is as the last one has it."""

import os

import numpy as np
import pytest

from helpers.command import ended
from helpers.stored import write_cell
from trml.base.artifacts import new_folder, write_sums
from trml.base.errors import StoreError
from trml.cli.main import main
from trml.planning.merging import merge
from trml.training.contract import Cell, CellSpec, Outcome, Predicted
from trml.training.store import history_of, is_done, read_cell, weights_of, write_cells

STORE = "work/cells/corpus/encoder"


def cell(root, name):
    spec = CellSpec("zero_fill", "default", "trml.methods.zero_fill.ZeroFill", {}, None, 0.0, 0.0, 1)
    return Cell(spec, name, root / STORE)


def outcome(value):
    predictions = {("test", "text+vision"): Predicted(np.full(2, value, dtype=np.float32))}
    weights = {"w": np.full(3, value, dtype=np.float32)}
    return Outcome(predictions, [{"epoch": 0, "train_loss": value, "dev_loss": 1.0}], 0, weights, 3)


def train(root, *named):
    write_cells([(cell(root, n), outcome(v)) for n, v in named], {"test": ["a", "b"]}, (), {})


def made(folder, content):
    with new_folder(folder, "corpus.json") as path:
        (path / "corpus.json").write_text(content)


@pytest.fixture
def machines(tmp_path, monkeypatch):
    """Two clones: both trained b, with other bits; their corpora have other bits too."""
    here, there = tmp_path / "here", tmp_path / "there"
    train(here, ("a" * 12, 1.0), ("b" * 12, 2.0))
    train(there, ("b" * 12, 2.5), ("c" * 12, 3.0))
    made(here / "work/corpora/one", "here")
    made(there / "work/corpora/one", "there")
    made(there / "work/corpora/two", "there")
    monkeypatch.chdir(here)
    return here, there


def test_the_last_has_what_both_have(machines, capsys):
    here, there = machines
    main(["merge", str(there)])
    said = capsys.readouterr().out
    assert f"{there}: 1 trainings, 1 other folders new here" in said
    assert f"one was here with other content; now as {there} has it" in said
    assert f"{'b' * 12} was here with other content; now as {there} has it" in said
    for name, value in (("a", 1.0), ("b", 2.5), ("c", 3.0)):
        _, table = read_cell(cell(here, name * 12))
        assert table["prediction"].to_list() == [value, value]
        assert history_of(cell(here, name * 12))["train_loss"].to_list() == [value]
        assert (weights_of(cell(here, name * 12))["w"] == value).all()
    assert (here / "work/corpora/one/corpus.json").read_text() == "there"
    assert read_cell(cell(there, "b" * 12))[1]["prediction"][0] == 2.5


def test_merging_again_changes_nothing(machines):
    _, there = machines
    merge(there)
    again = merge(there)
    assert (again.cells, again.folders, again.replaced) == (0, 0, [])


def test_a_source_without_weights_takes_none_away(machines):
    here, there = machines
    for path in there.rglob("*"):
        if path.name in ("checkpoints.safetensors", "whole"):
            path.unlink()
    write_cell(cell(there, "a" * 12), outcome(1.0), {"test": ["a", "b"]})
    merge(there)
    assert is_done(cell(here, "a" * 12), with_weights=True)
    assert not is_done(cell(here, "c" * 12), with_weights=True)


def test_a_shard_of_new_and_known_cells_without_weights_takes_none_away(machines):
    here, there = machines
    train(there, ("a" * 12, 1.0), ("d" * 12, 4.0))
    for path in (there / STORE).rglob("*"):
        if path.name in ("checkpoints.safetensors", "whole"):
            path.unlink()
    merged = merge(there)
    assert merged.cells == 2
    assert is_done(cell(here, "a" * 12), with_weights=True)
    assert read_cell(cell(here, "d" * 12))[1]["prediction"][0] == 4.0
    assert not is_done(cell(here, "d" * 12), with_weights=True)


def test_damage_and_nothing_are_refused(machines, tmp_path):
    _, there = machines
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="holds nothing to merge"):
        merge(tmp_path / "empty")
    (there / "work/corpora/two/corpus.json").write_text("altered")
    with pytest.raises(StoreError, match="two: "):
        merge(there)


def sealed(folder, **files):
    """Write a folder of files with its SHA256SUMS."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    write_sums(folder)
    return folder


@pytest.mark.parametrize(
    "plant",
    [
        lambda folder: (folder / "pw").symlink_to("/etc/hosts"),
        lambda folder: (folder / "pw").symlink_to("/etc"),
        lambda folder: (folder / "pw").symlink_to("nowhere"),
        lambda folder: os.mkfifo(folder / "pw"),
        lambda folder: (folder / "pw").write_text("beside"),
    ],
)
def test_what_the_checksums_do_not_list_stays_where_it_is(machines, capsys, plant):
    here, there = machines
    plant(there / "work/corpora/two")
    main(["merge", str(there)])
    assert "not brought, since SHA256SUMS does not list it: pw" in capsys.readouterr().err
    assert sorted(path.name for path in (here / "work/corpora/two").iterdir()) == ["SHA256SUMS", "corpus.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "pw").symlink_to("/etc/hosts"), "pw is a link, or below one"),
        (lambda folder: (folder / "SHA256SUMS").unlink() or os.mkfifo(folder / "SHA256SUMS"), "absent or unreadable"),
        (lambda folder: (folder / "SHA256SUMS").open("a").write("0  ../../../here/x\n"), "../../../here/x is absent"),
    ],
)
def test_a_source_with_links_or_pipes_brings_nothing(machines, capsys, change, words):
    here, there = machines
    folder = there / "work/corpora/two"
    change(folder)
    if "link" in words:
        write_sums(folder)
    assert words in ended(capsys, "merge", there).err
    assert not (here / "work/corpora/two").exists()


@pytest.mark.parametrize("records", ["[[[]]]", "null", '{"a": 1}', '{"cells": [1]}', "{}", '{"a": {"digest": "b"}}'])
def test_records_of_another_form_are_named(machines, capsys, records):
    here, there = machines
    sealed(there / STORE / "x-1", records__json=records)
    code, _, err = ended(capsys, "merge", there)
    assert code == 1
    assert "x-1: records.json holds no records of trainings" in err
    assert not (here / "work/corpora/two").exists()


def test_predictions_that_are_no_parquet_are_named(machines, capsys):
    record = '{"a": {"digest": "a", "method": "m", "failed": null}}'
    sealed(machines[1] / STORE / "x-1", records__json=record, predictions__parquet="no parquet")
    assert "x-1: predictions.parquet cannot be read" in ended(capsys, "merge", machines[1]).err


def test_nothing_to_merge_leaves_nothing_behind(tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "clone").mkdir()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path / "clone")
    for source, words in (("empty", "holds nothing to merge"), ("pipe", "is a named pipe"), ("no", "is missing")):
        code, _, err = ended(capsys, "merge", tmp_path / source)
        assert code == 1
        assert words in err
    assert not [*(tmp_path / "clone").iterdir()]
