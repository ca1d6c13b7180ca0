"""Published results as frames, from the committed results."""

import json

import polars as pl
import pytest

import trml
from conftest import ROOT
from trml.base.errors import DataMissing


@pytest.fixture(scope="module")
def found():
    return trml.load(ROOT / "results/pantomime_full")


def test_frames_are_the_published_files(found):
    assert found.metrics().height == len((found.folder / "metrics.csv").read_text().splitlines()) - 1
    assert found.metrics("untold").height == len((found.folder / "metrics_untold.csv").read_text().splitlines()) - 1
    assert found.pairs().equals(pl.read_parquet(found.folder / "pairs.parquet"))
    claims = json.loads((found.folder / "claims.json").read_text())
    assert found.claims().height == sum(len(claim["comparisons"]) for claim in claims)
    assert {"main", "claim_c1", "matrix"} <= set(found.tables)
    assert found.manifest["experiment"] == "pantomime_full" and "untold" in found.datasets


def test_every_table_and_dataset_is_read(found):
    for name in found.tables:
        assert found.table(name).height > 0
    for name in found.datasets:
        assert found.metrics(name).schema == found.metrics().schema


def test_cells_and_variants_are_text(found):
    assert found.metrics().schema["cell"] == found.metrics().schema["variant"] == pl.String


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda found: found.table("mian"), "has no table mian; did you mean 'main'?"),
        (lambda found: found.metrics("untolt"), "has no metrics_untolt.csv; did you mean 'untold'?"),
        (lambda found: trml.load("pantomime_ful"), "there are no results pantomime_ful"),
    ],
)
def test_a_slip_is_named(found, ask, words):
    with pytest.raises(DataMissing, match=words.replace("?", r"\?")):
        ask(found)


def test_what_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        trml.lode  # noqa: B018
