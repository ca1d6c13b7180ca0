"""A run on Slurm has the bytes of a local one: a job cancelled, a node drained and the head killed on the way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.slurm import Slurm, reason_to_skip, wait_until
from conftest import ROOT
from helpers.checkout import MINIATURE, SMALL_GRID, Checkout
from helpers.paper import served, to_fetch

__all__ = ["served"]  # a fixture

pytestmark = pytest.mark.skipif(reason_to_skip() is not None, reason=reason_to_skip() or "")

SLURM = [
    "--workflow-profile",
    str(ROOT / "profiles/slurm"),
    "--set-scatter",
    "encode=2",
    "--group-components",
    "train=2",
    "--set-threads",
    "corpus=4",
    # This cluster has no accounting database.
    "--slurm-status-command",
    "squeue",
    "--slurm-no-account",
    "--slurm-init-seconds-before-status-checks",
    "3",
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    slurm = Slurm(tmp_path_factory.mktemp("slurm"))
    yield slurm
    slurm.stop()


def checkout(folder, overrides):
    made = Checkout(folder)
    (folder / "config").symlink_to(ROOT / "config")
    made.configure(*overrides)
    return made


class Head:
    """Snakemake with the Slurm profile, in a process of its own whose output goes to a file."""

    def __init__(self, folder, *arguments):
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), *SLURM, *arguments]
        self.log = folder / f"head-{len(list(folder.glob('head-*')))}.txt"
        with self.log.open("w") as log:
            environment = {**os.environ, "PATH": path}
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def ends_well(self):
        assert self.process.wait() == 0, self.log.read_text()[-6000:]


@pytest.fixture
def start():
    """Start heads; end those that are left."""
    heads = []
    yield lambda *arguments: heads.append(Head(*arguments)) or heads[-1]
    for head in heads:
        head.process.kill()


def bytes_of(folder):
    """Every published file but the page, which names times and the machine, and the table of costs."""
    (published,) = (folder / "results").iterdir()
    files = [path for path in sorted(published.rglob("*")) if path.suffix in (".csv", ".md", ".tex", ".parquet")]
    return {str(path.relative_to(published)): path.read_bytes() for path in files if "cost" not in path.name}


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param([*MINIATURE, *SMALL_GRID, "training.block=12", "training.epochs=8"], id="miniature"),
        pytest.param([], id="default", marks=pytest.mark.slow),  # two runs of about ten minutes
    ],
)
def test_the_same_bytes_as_a_local_run_whatever_happens_to_jobs_nodes_and_the_head(cluster, start, tmp_path, overrides):
    for name in ("local", "slurm"):
        (tmp_path / name).mkdir()
    local, folder = checkout(tmp_path / "local", overrides), checkout(tmp_path / "slurm", overrides).folder

    def training():
        return [job for job, comment in cluster.jobs("RUNNING") if comment.startswith("rule_train_")]

    head = start(folder)
    wait_until(training, "a training to run", 900)
    cancelled = training()[0]
    cluster("scancel", cancelled)
    cluster("scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=maintenance")
    wait_until(lambda: cancelled not in training() and training(), "another job to train", 300)
    assert {cluster("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip() for job in training()} <= {
        "n1",
        "n2",
    }
    cluster("scontrol", "update", "NodeName=n1", "State=RESUME")
    wait_until(training, "a training to run", 300)
    head.process.send_signal(signal.SIGKILL)  # its jobs go on, and the next head starts theirs again beside them
    head.process.wait()
    start(folder).ends_well()
    local.make()
    found, expected = bytes_of(folder), bytes_of(local.folder)
    assert "metrics.csv" in expected
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_the_head_fetches_and_jobs_start_in_a_second_pass(cluster, start, served, tmp_path):
    folder = to_fetch(served, tmp_path)
    head = start(folder, "data")
    head.ends_well()
    said = head.log.read_text()
    assert said.index("MELD.Raw.tar.gz: to be fetched") < said.index("has been submitted with SLURM jobid")
    assert "rule_fetch" not in said
    assert len(list((folder / "work/corpora").glob("*/corpus.json"))) == 3
