"""DVC as its documentation says: repro, push, and a clone that has nothing but git and the remote."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from helpers.checkout import MINIATURE, SMALL_GRID, Checkout

FEW = ["method=[trml,zero_fill,supervised_double]", "~datasets.unseen", "studies=false"]
GRID = [o for o in SMALL_GRID if not o.startswith("method=")] + FEW
PROJECT = ("Snakefile", "workflow", "config", "src", "dvc.yaml", ".dvcignore", ".dvc", ".gitignore")


class Repository(Checkout):
    """A git repository with all that DVC's stages need, run with the programs of this environment."""

    def run(self, *command: str, fails: bool = False) -> str:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@t"),
        }
        environment.pop("TRML_PARAMS", None)
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def dvc(self, *arguments: str, fails: bool = False) -> str:
        return self.run("dvc", *arguments, fails=fails)

    def commit(self) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "state")

    def dry(self) -> str:
        return self.run("snakemake", "--cores", "2", "--dry-run")

    def seeds(self, *seeds: int) -> None:
        params = yaml.safe_load((self.folder / "params.yaml").read_text())
        params["protocol"]["seeds"] = list(seeds)
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A repository after `dvc repro` and `dvc push` to a folder. Its results are committed. Not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    for name in PROJECT:
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    for leftover in ("tmp", "cache", "config.local"):
        shutil.rmtree(folder / ".dvc" / leftover, ignore_errors=True)
    repository = Repository(folder)
    repository.configure(*MINIATURE, *GRID)
    repository.run("git", "init", "-q", ".")
    repository.dvc("remote", "add", "--default", "store", str(tmp_path_factory.mktemp("remote")))
    repository.commit()
    repository.dvc("repro")
    repository.run("git", "add", "-f", "results")
    repository.commit()
    repository.dvc("push")
    return repository


@pytest.fixture
def clone(made, tmp_path):
    """A clone that knows git and the remote alone."""
    made.run("git", "clone", "-q", str(made.folder), str(tmp_path / "clone"))
    return Repository(tmp_path / "clone")


def nothing_to_do(repository) -> bool:
    return "Nothing to be done" in repository.dry() and "up to date" in repository.dvc("status")


def test_after_a_pull_there_is_nothing_to_do(clone, made):
    clone.dvc("pull")
    assert nothing_to_do(clone)
    assert not list((clone.folder / "work").rglob("*.mp4"))
    assert clone.run("git", "status", "--porcelain") == ""
    shards = list((clone.folder / "work/cells").glob("*/*/*"))
    assert shards and all(len(list(shard.iterdir())) == 4 for shard in shards)


def test_a_change_after_a_pull_redoes_what_depends_on_it(clone):
    clone.dvc("pull")
    before = clone.cells()
    clone.seeds(2020, 2021, 2022)
    said = clone.dvc("repro")
    assert "pretraining" not in said  # the encoder was pulled
    after = clone.cells()
    assert len(after) > len(before)
    named = {cell["digest"] for cell in before.values() if cell["seed"] in (2020, 2021)}
    assert named <= after.keys()
    assert nothing_to_do(clone)
    assert "mae.complete" in clone.dvc("metrics", "diff")
    clone.run("git", "checkout", "-q", ".")
    clone.dvc("checkout")
    assert nothing_to_do(clone)


def test_metrics_plots_and_parameters_are_shown(made, tmp_path):
    shutil.copytree(made.folder, tmp_path / "copy")
    copy = Repository(tmp_path / "copy")
    shown = copy.dvc("metrics", "show")
    assert "mae.vision@0.5" in shown and "claims.C1.against" in shown
    copy.dvc("plots", "show", "--out", "plots")
    page = (copy.folder / "plots/index.html").read_text()
    assert "vega" in page and "supervised_double" in page and "missing rate" in page
    assert "mae.vision@0.5" in copy.dvc("exp", "show", "--no-pager", "--csv")
    copy.seeds(2020)
    assert "protocol.seeds" in copy.dvc("params", "diff")


def test_an_archive_of_results_is_enough_for_the_page(made, tmp_path):
    """Scores and claims are computed again from the predictions in it, to the same bytes, without training."""
    (name,) = [path.name for path in (made.folder / "results").iterdir()]
    made.run("trml", "export", name, "--output", str(tmp_path / "deposit.zip"))
    made.run("git", "clone", "-q", str(made.folder), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    published = (clone.folder / "results" / name / "metrics.csv").read_bytes()
    said = clone.run("trml", "bring", str(tmp_path / "deposit.zip")).splitlines()
    (params,) = [line for line in said if line.endswith(".yaml")]
    said = clone.run("snakemake", "--cores", "2", "--config", f"params={params}")
    assert "reproduced, all" in said
    for job in ("train", "corpus", "features", "pretrain", "probe"):
        assert f"Rule: {job})" not in said
    assert (clone.folder / "results" / name / "metrics.csv").read_bytes() == published
    assert "Same: all" in clone.run("trml", "verify", name)
