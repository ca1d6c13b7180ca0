"""The paper's three corpora, from archives in their true layouts on a local server to the page."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT
from helpers.paper import ARCHIVES, served, to_fetch
from trml.base.artifacts import read_json

__all__ = ["served"]  # a fixture


@pytest.fixture(scope="module")
def checkout(served, tmp_path_factory):
    return to_fetch(served, tmp_path_factory.mktemp("checkout"))


def snakemake(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", *arguments]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_from_archives_on_a_server_to_the_page(checkout):
    # Before anything is fetched a dry run shows all of it, and fetches nothing.
    planned = snakemake(checkout, "-n")
    for rule in ("fetch", "corpus", "encode", "features", "train", "evaluate", "report", "publish"):
        assert f"rule {rule}:" in planned or f"\n{rule} " in planned, rule
    assert not (checkout / "data").exists()

    # One command fetches, and goes on to the page.
    said = snakemake(checkout)
    assert said.index("MELD.Raw.tar.gz: to be fetched") < said.index("results/paper: published")
    results = checkout / "results/paper"
    page = (results / "report/index.html").read_text()
    for name in ("cmu_mosei", "meld"):
        assert f'id="on_{name}"' in page and f"figure-rates_vision_{name}" in page
        assert (results / f"metrics_{name}.csv").is_file()
    for name in ARCHIVES:
        assert "missing for real" in (results / f"cards/{name}.md").read_text()
    verdicts = pl.read_csv(results / "tables/verdicts.csv")
    assert verdicts.columns == ["claim", *ARCHIVES]
    command = "snakemake --cores all --config params=results/paper/params.yaml"  # there is no config/ here
    assert read_json(results / "manifest.json")["command"] == command

    # What was fetched is recorded, and a second run has nothing to do.
    lock = read_json(checkout / "data/sources.lock")
    assert {"cmu_mosi/CMU_MOSI.zip", "cmu_mosei/CMU_MOSEI.zip", "meld/MELD.Raw.tar.gz"} <= set(lock)
    assert "Nothing to be done" in snakemake(checkout)
