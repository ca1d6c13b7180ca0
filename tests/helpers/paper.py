"""The paper's three corpora as archives on a local server, and a small experiment that fetches them."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from helpers.raw_layouts import meld_archive, mosei_archive, mosi_archive
from helpers.synthetic_encoders import write_siglip
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


def to_fetch(served: str, folder: Path) -> Path:
    """Configure a folder to run in, whose files are on that server; return it."""
    write_siglip(folder / "siglip")
    raw = yaml.safe_load(compose([*SMALL, f"encoder.model='{folder / 'siglip'}'"], ROOT / "config"))
    for corpus in (raw["corpus"], *(dataset["corpus"] for dataset in raw["datasets"].values())):
        for source in corpus["sources"]:
            source.update(urls=[f"{served}/{corpus['name']}/{source['file']}"], size=None, sha256=None)
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    return folder
