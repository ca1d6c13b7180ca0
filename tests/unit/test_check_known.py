"""`trml check` on folders with the raw files of a known corpus."""

import re
import shlex
import shutil

import polars as pl
import pytest

from conftest import ROOT
from helpers.own_data import composed, png, report, rows, write
from helpers.raw_layouts import meld_layout, mosi_layout
from trml.config.compose import compose

SHARED = ROOT.parent / "shared/data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real tables beside the repository")


def posts(path):
    """A raw file of mvsa_sample, in small."""
    splits = ["train"] * 3 + ["valid"] * 2 + ["test"] * 2
    columns = {
        "guid": list(range(7)),
        "text": [f"post {i}" for i in range(7)],
        "label_id": [i % 3 - 1 for i in range(7)],
        "clean_split": splits,
        "image_jpeg": [png((30, 20 + i)) for i in range(7)],
    }
    pl.DataFrame(columns).write_parquet(path)


def test_a_known_corpus_is_built_aside_and_looked_at(tmp_path):
    (tmp_path / "mvsa_sample").mkdir()
    posts(tmp_path / "mvsa_sample/mvsa_single_sample300.parquet")
    text, sound = report(tmp_path / "mvsa_sample")
    assert sound
    assert "holds the raw files of corpus mvsa_sample (kind mvsa_sample)" in text
    assert "7 files. Of those that open, 7 are pictures" in text
    assert re.search(r"train +3 +3 ", text)
    assert f"make results EXPERIMENT=mvsa_sample DATA={tmp_path}" in text
    assert sorted(path.name for path in (tmp_path / "mvsa_sample").iterdir()) == ["mvsa_single_sample300.parquet"]


def test_a_known_corpus_under_another_name_is_pointed_at(tmp_path):
    (tmp_path / "posts").mkdir()
    posts(tmp_path / "posts/mvsa_single_sample300.parquet")
    config, data = composed(report(tmp_path / "posts")[0].replace("&& make results", ""))
    assert (config.folder, data) == ("posts", str(tmp_path))


def test_a_table_of_ones_own_comes_before_what_lies_beside_it(tmp_path):
    folder = write(tmp_path / "x", rows())
    posts(folder / "mvsa_single_sample300.parquet")
    assert "utterances.csv: 12 rows" in report(folder)[0]


@needs_shared
@pytest.mark.parametrize(("name", "counts"), [("mvsa_sample", "train +210 +210"), ("mosi", "train +1206 +52")])
def test_real_corpora_are_recognised(name, counts):
    text, sound = report(SHARED / name)
    assert sound
    assert f"holds the raw files of corpus {name} " in text
    assert re.search(counts, text)
    assert f"make results EXPERIMENT={name} DATA=" in text


@pytest.mark.parametrize("form", ["texts alone", "whole videos"])
def test_a_known_corpus_with_less_of_its_files_is_known(tmp_path, form):
    if form == "texts alone":
        meld_layout(tmp_path / "meld")
        shutil.rmtree(tmp_path / "meld/MELD.Raw")
        folder, words = tmp_path / "meld", "corpus.vision=False"
    else:
        mosi_layout(tmp_path / "cmu_mosi", full=True)
        folder, words = tmp_path / "cmu_mosi", "corpus.clips=full"
    last = report(folder)[0].splitlines()[-1]
    assert words in last and f"trml compose experiment={folder.name}" in last
    compose(shlex.split(last.partition("&&")[0])[2:], ROOT / "config")
