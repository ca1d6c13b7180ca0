"""Folders that `trml check` and the builds of corpora are to refuse, or to note, in time and in words."""

import polars as pl
import pytest

from helpers.own_data import own_config, png, report, rows, write
from trml.base.errors import ContractError, DataMissing
from trml.corpora.contract import read_corpus
from trml.corpora.mvsa.config import MvsaSampleConfig
from trml.corpora.registry import build_corpus
from trml.corpora.user_table.rows import read
from trml.corpora.user_table.table import read_table
from trml.sources.formats import limits

# --- the sample of MVSA ---------------------------------------------------------------------------------------


def sample(tmp_path, **changed):
    """Build the sample from six posts, with other columns; None takes one away."""
    columns = {
        "guid": [f"p{i}" for i in range(6)],
        "text": [f"post {i}" for i in range(6)],
        "label_id": [i % 3 - 1 for i in range(6)],
        "clean_split": ["train", "train", "valid", "valid", "test", "test"],
        "image_jpeg": [png((20, 20 + i)) for i in range(6)],
    }
    columns = {name: cells for name, cells in {**columns, **changed}.items() if cells is not None}
    pl.DataFrame(columns).write_parquet(tmp_path / "s.parquet")
    (tmp_path / "out").mkdir()
    build_corpus(MvsaSampleConfig("mvsa_sample", "s", ".", "s.parquet"), tmp_path, tmp_path / "out", "x", 1)
    return read_corpus(tmp_path / "out")[1]


SAMPLES = [
    ({"label_id": None}, r"s\.parquet has no column label_id; it has guid, text, clean_split, image_jpeg"),
    ({"label_id": [0.5] * 6}, r"s\.parquet: column label_id holds 'Float64'; expected integers"),
    ({"label_id": ["good"] * 6}, "column label_id holds 'String'; expected integers"),
    ({"label_id": [None, 0, 1, 0, 1, 0]}, "row 1: guid 'p0' has the label_id None; expected -1, 0 or 1"),
    ({"label_id": [0, 0, 2, 0, 1, 0]}, "row 3: guid 'p2' has the label_id 2; expected -1, 0 or 1"),
    ({"text": [["a"]] * 6}, r"column text holds 'List\(String\)'; expected texts"),
    ({"text": ["a", None, "b", "c", "d", "e"]}, "row 2: guid 'p1' is without a text"),
    ({"guid": ["a", "b", "a", "c", "d", "e"]}, "row 3: guid 'a' is there twice; expected each once"),
    ({"guid": ["a", None, "b", "c", "d", "e"]}, "row 2: guid None is null; expected a name"),
    ({"clean_split": ["train"] * 5 + ["spare"]}, "row 6: guid 'p5' has the clean_split 'spare'; expected train, valid"),
    ({"image_jpeg": [b""] * 6}, "row 1: guid 'p0' is without a photo"),
    ({"image_jpeg": [b"<html>gone</html>"] * 6}, "row 1: the photo of guid 'p0' cannot be read: it is not a picture"),
    ({"image_jpeg": ["photo"] * 6}, "column image_jpeg holds 'String'; expected bytes"),
]


@pytest.mark.parametrize(("changed", "words"), SAMPLES)
def test_a_sample_of_another_form_is_refused_with_its_row(tmp_path, changed, words):
    with pytest.raises(ContractError, match=words):
        sample(tmp_path, **changed)


def test_labels_of_a_sample_that_are_narrow_integers(tmp_path):
    narrow = pl.Series([-1, 0, 1, -1, 0, 1], dtype=pl.Int8)
    assert sample(tmp_path, label_id=narrow)["label"].to_list() == [0, 1, 2, 0, 1, 2]


# --- a table and where it is ----------------------------------------------------------------------------------


def test_a_table_that_is_a_link_out_of_its_folder_is_not_read(tmp_path):
    folder = write(tmp_path / "own", rows())
    (folder / "utterances.csv").rename(tmp_path / "secret.csv")
    (folder / "utterances.csv").symlink_to(tmp_path / "secret.csv")
    config = own_config(folder)
    for ask in (lambda: report(folder), lambda: read(config, folder), lambda: config.raw_files(tmp_path)):
        with pytest.raises(ContractError, match=r"utterances\.csv leads out of .*own; expected a table in it"):
            ask()
    (folder / "utterances.csv").unlink()
    (folder / "tables").mkdir()
    (tmp_path / "secret.csv").rename(folder / "kept.csv")
    (folder / "tables/t.csv").symlink_to(folder / "kept.csv")  # within the folder, which is reached by a link
    (tmp_path / "link").symlink_to(folder)
    assert report(tmp_path / "link", table="tables/t.csv")[1]


def test_cells_of_parquet_are_charged_before_they_become_strings(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY", 1 << 20)
    pl.DataFrame({"text": ["a"] * 10_000, "label": 1, "unused": "b"}).write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert len(table.columns["text"]) == 10_000, "columns without a role cost nothing"
    with pytest.raises(ContractError, match=r"the 10,000 cells of column 'label', .* take 1 MB of memory; expected at"):
        table.columns["label"]
    pl.DataFrame({"text": ["a" * 300_000 + "\U0001f600"], "label": 1}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(ContractError, match="the 1 cells of column 'text'"):
        read_table(tmp_path / "t.parquet").columns["text"]


def test_columns_that_are_bytes_or_lists_are_named(tmp_path):
    pl.DataFrame({"text": [b"a"], "label": [1]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(
        ContractError, match=r"like the text; it has label, and of types that cannot be used: text \(Bi"
    ):
        report(tmp_path)
    with pytest.raises(ContractError, match=r"column 'text' for text holds 'Binary'; expected texts or numbers"):
        read(own_config(tmp_path, table="t.parquet"), tmp_path)


def test_a_folder_is_no_remedy_for_a_table(tmp_path):
    (tmp_path / "t.parquet").mkdir()
    with pytest.raises(DataMissing, match=r"t\.parquet is a folder; .* holds no table"):
        report(tmp_path, table="t.parquet")
