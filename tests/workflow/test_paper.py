"""The paper's three corpora, from archives in their true layouts on a local server to the page."""

import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
import yaml

from conftest import ROOT
from helpers.raw_layouts import meld_archive, mosei_archive, mosi_archive
from helpers.synthetic_encoders import write_siglip
from trml.base.artifacts import read_json
from trml.config.compose import compose

ARCHIVES = {"cmu_mosi": mosi_archive, "cmu_mosei": mosei_archive, "meld": meld_archive}
SMALL = [
    "experiment=paper",
    "method=[trml,zero_fill,supervised_double]",
    "methods.trml.grids=[]",
    "methods.trml.sweeps.temperature=[0.07,0.5]",
    "studies=[temperature]",
    "protocol.victims=[vision,text]",
    "protocol.rates=[0.0,0.5,1.0]",
    "protocol.complete=[0.5]",
    "protocol.seeds=[2020]",
    "training.epochs=2",
    "training.hidden=16",
    "training.batch_size=16",
    "data=data",
    "encoder=transformers_clip",
    "encoder.frames=4",
    "accept_terms=[mosi,mosei,meld]",
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The archives of the three corpora in miniature, on a server; its address."""
    folder = tmp_path_factory.mktemp("served")
    for name, archive in ARCHIVES.items():
        (folder / name).mkdir()
        archive(folder / name, per_split={"train": 40, "valid": 12, "test": 12})
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def checkout(served, tmp_path_factory):
    """A folder to run in, whose configuration looks for the files on that server."""
    folder = tmp_path_factory.mktemp("checkout")
    write_siglip(folder / "siglip")
    raw = yaml.safe_load(compose([*SMALL, f"encoder.model='{folder / 'siglip'}'"], ROOT / "config"))
    for corpus in (raw["corpus"], *(dataset["corpus"] for dataset in raw["datasets"].values())):
        for source in corpus["sources"]:
            source.update(urls=[f"{served}/{corpus['name']}/{source['file']}"], size=None, sha256=None)
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    return folder


def snakemake(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2", *arguments]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


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
