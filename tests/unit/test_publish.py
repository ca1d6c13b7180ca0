"""Publishing: equal results stay, others replace them, damaged cells are refused."""

import os

import numpy as np
import pytest

from helpers.stored import write_cell
from trml.base.artifacts import read_json, write_json, write_sums
from trml.base.digests import file_digest
from trml.base.errors import StoreError
from trml.report.publish import is_published, publish, require_place
from trml.training.contract import Cell, CellSpec, Outcome, Predicted
from trml.training.store import RECORDS, shard_of

DIGEST = "study-0123456789ab"


@pytest.fixture
def cell(tmp_path):
    """A cell in the store."""
    spec = CellSpec("zero_fill", "default", "trml.methods.zero_fill.ZeroFill", {}, None, 0.0, 0.0, 1)
    made = Cell(spec, "abcdefabcdef", tmp_path / "cells")
    predictions = {("test", "text+vision"): Predicted(np.zeros(2, dtype=np.float32))}
    history = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}]
    outcome = Outcome(predictions, history, 0, {}, 3)
    write_cell(made, outcome, {"test": ["a", "b"]})
    return made


@pytest.fixture
def make(tmp_path):
    """A function that fills the finished folder with results that hold these numbers; the folder."""
    folder = tmp_path / "work" / DIGEST

    def write(numbers, digest=DIGEST):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.csv").write_text(numbers)
        files = {"metrics.csv": file_digest(folder / "metrics.csv")}
        write_json(folder / "manifest.json", {"digest": digest, "quality": [], "files": files})
        return folder

    return write


def test_publishing_keeps_equal_results_and_replaces_others(cell, make, tmp_path, capsys):
    published = tmp_path / "results/study"
    finished = make("1")
    assert not is_published(DIGEST, published)
    publish(DIGEST, finished, [cell], published)
    assert is_published(DIGEST, published)
    assert not is_published("study-another", published)
    (published / "note").write_text("the copy of an earlier run")
    publish(DIGEST, finished, [cell], published)
    assert (published / "note").exists()  # reproduced: left unchanged
    assert "all 1 files have the same bytes" in capsys.readouterr().err
    publish(DIGEST, make("2"), [cell], published)  # as another machine's
    assert (published / "metrics.csv").read_text() == "1"
    said = capsys.readouterr().err
    assert "1 of 1 files have other bytes than the published ones of the same recipe, as metrics.csv" in said
    assert f"{finished}/report/index.html" in said
    publish(DIGEST, make("2"), [cell], published, replace=True)
    assert (published / "metrics.csv").read_text() == "2"
    assert [path.name for path in published.parent.iterdir()] == ["study"]
    (published / "metrics.csv").write_text("edited by hand")
    assert not is_published(DIGEST, published)
    (published / "manifest.json").write_text("{")
    assert not is_published(DIGEST, published)
    with pytest.raises(StoreError, match=r"holds another; expected study-0123456789ab, so it is not published"):
        publish(DIGEST, make("3", digest="another"), [cell], published)


def test_publishing_refuses_a_cell_of_another_recipe(cell, make, tmp_path):
    shard = shard_of(cell)
    (record,) = read_json(shard / RECORDS).values()
    write_json(shard / RECORDS, {cell.digest: {**record, "digest": "stale"}})
    write_sums(shard)
    with pytest.raises(StoreError, match="what it holds as cell abcdefabcdef is stale"):
        publish(DIGEST, make("1"), [cell], tmp_path / "results/study")
    assert not (tmp_path / "results").exists()


def test_results_of_another_configuration_are_kept_under_another_name(cell, make, tmp_path, capsys):
    """Where the name is the user's own, such as `mine`."""
    published = tmp_path / "results/mine"
    first, second = "name: mine\nseed: 1\n", "name: mine\nseed: 2\n"
    (make("1") / "params.yaml").write_text(first)
    publish(DIGEST, make("1"), [cell], published, keep=True)
    (make("2") / "params.yaml").write_text(second)
    publish("study-another", make("2", digest="study-another"), [cell], published, keep=True)
    kept = next(path for path in published.parent.iterdir() if path != published)
    assert (published / "params.yaml").read_text() == second
    assert (kept / "params.yaml").read_text() == first
    assert f"held results of another configuration, which are now {kept}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (os.mkfifo, "is a named pipe"),
        (lambda path: path.write_text("a file"), "is a file"),
        (lambda path: path.symlink_to(path.parent), "is a link to a folder"),
        (lambda path: path.symlink_to("nowhere"), "is a link to a file that is missing"),
    ],
)
def test_what_is_no_folder_is_not_replaced(cell, make, tmp_path, put, words):
    published = tmp_path / "results/study"
    published.parent.mkdir()
    put(published)
    assert not is_published(DIGEST, published)
    with pytest.raises(StoreError, match=f"study {words}; expected a folder of results"):
        require_place(published)
    with pytest.raises(StoreError, match=f"study {words}; expected a folder of results"):
        publish(DIGEST, make("1"), [cell], published)
    assert [path.name for path in published.parent.iterdir()] == ["study"]


@pytest.mark.parametrize("manifest", ["{}", "[]", "null", '{"files": 3}', '{"digest": "study-0123456789ab"}'])
def test_a_manifest_of_another_form_is_replaced(cell, make, tmp_path, manifest):
    published = tmp_path / "results/study"
    published.mkdir(parents=True)
    (published / "manifest.json").write_text(manifest)
    assert not is_published(DIGEST, published)
    publish(DIGEST, make("1"), [cell], published)
    assert is_published(DIGEST, published)
    assert [path.name for path in published.parent.iterdir()] == ["study"]


def test_published_files_that_are_pipes_or_links_are_not_whole(cell, make, tmp_path):
    published = tmp_path / "results/study"
    publish(DIGEST, make("1"), [cell], published)
    (published / "metrics.csv").rename(tmp_path / "elsewhere.csv")
    (published / "metrics.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert not is_published(DIGEST, published)
    (published / "metrics.csv").unlink()
    os.mkfifo(published / "metrics.csv")
    assert not is_published(DIGEST, published)


def test_published_results_stay_where_new_ones_cannot_be_copied(cell, make, tmp_path, monkeypatch):
    published = tmp_path / "results/study"
    publish(DIGEST, make("1"), [cell], published)
    monkeypatch.setattr("shutil.copytree", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        publish(DIGEST, make("2"), [cell], published, replace=True)
    assert [path.name for path in published.parent.iterdir()] == ["study"]
    assert is_published(DIGEST, published)
