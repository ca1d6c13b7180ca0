"""A folder to run the whole workflow in, and overrides that make an experiment small."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from conftest import ROOT
from trml.config.compose import compose
from trml.config.load import check
from trml.planning.plan import Plan, plans
from trml.training.store import RECORDS

MINIATURE = [
    "corpus.draws=2",
    "corpus.speakers={train:12,valid:4,test:6}",
    "corpus.utterances=4",
    "corpus.frames=4",
    "~datasets.untold",  # one regime is enough, but for the test of the whole study
    "corpus.pretraining_pairs=64",
    "corpus.heldout_pairs=16",
    "encoder.pretraining.epochs=1",
    "encoder.pretraining.retrieval_bar=null",
    "report.forms=[]",  # figures as svg alone: each form takes as long
]
FEW_METHODS = "method=[trml,supervised_single,supervised_single_matched,zero_fill,supervised_double]"
SMALL_GRID = [
    FEW_METHODS,
    "methods.trml.grids=[]",
    "protocol.victims=[vision,text]",
    "protocol.rates=[0.0,0.5,1.0]",
    "protocol.complete=[0.5]",
    "protocol.seeds=[2020,2021]",
    "training.epochs=2",
    "training.hidden=16",
    "training.batch_size=16",
    "methods.trml.sweeps.temperature=[0.07,0.5]",
]


EVERY_FORM = "report.forms=[pdf,png]"


class Checkout:
    """A folder to run the workflow in, with its own configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def configure(self, *overrides: str) -> Plan:
        text = compose(list(overrides), ROOT / "config")
        (self.folder / "params.yaml").write_text(text)
        return plans(check(yaml.safe_load(text)), self.folder / "work", self.folder / "config")[0]

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(ROOT / "Snakefile"),
            "--cores",
            "2",
            *arguments,
        ]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def make(self, *arguments: str) -> str:
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def trml(self, *arguments: str) -> str:
        """What a verb prints, run in the folder."""
        return self.ran(*arguments).stdout

    def ran(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A verb that ended well, run in the folder."""
        command = [sys.executable, "-m", "trml", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done

    def cells(self) -> dict[str, Any]:
        """Every cell of the store by its digest, with its record. It says how long it took: no two trainings agree."""
        files = (self.folder / "work/cells").rglob(RECORDS)
        return {name: record for path in files for name, record in json.loads(path.read_text()).items()}

    def takes(self, other: "Checkout", *kinds: str) -> "Checkout":
        """Copy folders of work/ that another has made: by default, all that trainings need or are."""
        for kind in kinds or ("corpora", "encoders", "features", "cells", "references"):
            shutil.copytree(other.folder / "work" / kind, self.folder / "work" / kind)
        return self

    def digest(self) -> str:
        return json.loads((self.folder / "results/pantomime/manifest.json").read_text())["digest"]


def shared_miniature(factory: pytest.TempPathFactory) -> Checkout:
    """Return the finished miniature that all tests of a session share: the worker that asks first makes it.

    It is made by `trml run`. What that printed is beside the folder, in miniature.out and miniature.err.
    """
    own = factory.getbasetemp()
    session = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with FileLock(session / "miniature.lock"):
        made = Checkout(session / "miniature")
        if not (made.folder / "results").is_dir():
            shutil.rmtree(made.folder, ignore_errors=True)
            made.folder.mkdir()
            made.configure(*MINIATURE, *SMALL_GRID, EVERY_FORM)
            done = made.ran("run", "--cores", "2")
            (session / "miniature.out").write_text(done.stdout)
            (session / "miniature.err").write_text(done.stderr)
    return made
