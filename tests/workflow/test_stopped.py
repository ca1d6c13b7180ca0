"""Runs that are stopped, by a kill or by hand, and resumed: the same bytes, and words on how to resume."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import ROOT
from helpers.checkout import MINIATURE, SMALL_GRID, Checkout
from trml.training.store import RECORDS

# Few methods and no variants, each training long enough to be stopped in.
LONGER = ["training.epochs=40", "training.patience=40", "protocol.seeds=[2020,2021]"]
FEW = ["method=[trml,zero_fill,supervised_double]", "~datasets.unseen", "studies=false"]
GRID = [o for o in SMALL_GRID if not o.startswith(("training.epochs", "protocol.seeds", "method="))] + LONGER + FEW


HARMED = ("predictions.parquet", RECORDS, "checkpoints.safetensors", "SHA256SUMS", "history.parquet")


def start(folder) -> subprocess.Popen:
    """Snakemake in a process group of its own, so that the whole of it can be killed."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, miniature):
    """A folder after a run that nothing stopped."""
    checkout = Checkout(tmp_path_factory.mktemp("undisturbed")).takes(miniature, "corpora", "encoders", "features")
    checkout.configure(*MINIATURE, *GRID)
    checkout.make()
    return checkout


def metrics(checkout):
    return (checkout.folder / "results/pantomime/metrics.csv").read_bytes()


def test_interrupted_by_hand_and_killed_it_resumes_to_the_same_bytes(undisturbed, tmp_path):
    """By hand it saves what is in training, and says how to resume; a kill may come at any moment."""
    checkout = Checkout(tmp_path).takes(undisturbed, "corpora", "encoders", "features")
    checkout.configure(*MINIATURE, *GRID)
    run = start(tmp_path)
    while "to train" not in (tmp_path / "log").read_text():
        time.sleep(0.2)
    time.sleep(1)
    os.killpg(run.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    run.wait(timeout=120)  # it ends at the next batch, long before its trainings would
    said = (tmp_path / "log").read_text()
    assert "are saved at epoch" in said
    assert "trml: finished work is kept. Resume with: snakemake --cores all" in said
    assert "Traceback" not in said
    moments = random.Random(0)
    for _ in range(2):
        run = start(tmp_path)
        time.sleep(moments.uniform(3, 12))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    checkout.make()
    assert metrics(checkout) == metrics(undisturbed)


def test_damaged_cells_are_named_and_made_again(undisturbed, tmp_path):
    shutil.copytree(undisturbed.folder, tmp_path / "checkout")
    undisturbed = Checkout(tmp_path / "checkout")
    shards = sorted((undisturbed.folder / "work/cells").rglob(RECORDS))
    before = metrics(undisturbed)
    for i, path in enumerate(shards):
        victim = path.parent / HARMED[i % len(HARMED)]
        victim.write_bytes(victim.read_bytes()[: -2 - i])
    said = undisturbed.make()
    for path in shards:
        assert f"{path.parent.relative_to(undisturbed.folder)}: " in said
    assert said.count("its cells are trained again") == len(shards) > 1
    assert metrics(undisturbed) == before
    assert "Nothing to be done" in undisturbed.make()
