"""Trainings of several machines in one work/: what is new is brought, what both have is as the last one has it."""

import numpy as np
import pytest

from helpers.stored import write_cell
from trml.base.artifacts import new_folder
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
