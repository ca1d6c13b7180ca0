"""`snakemake --use-conda` against a stand-in for conda: Snakemake's own code, our environment, script and rules."""

import json
import os
from pathlib import Path

import pytest

from conftest import ROOT
from helpers import standin_conda
from helpers.checkout import MINIATURE, SMALL_GRID, Checkout

TINY = ["corpus.draws=1", "corpus.speakers={train:3,valid:1,test:1}", "corpus.frames=2", "studies=false"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder where one job, that of a corpus, has run in the environment that Snakemake made. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("conda")
        patch.setenv("PATH", f"{standin_conda.install(folder / 'conda')}:{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", str(folder / "elsewhere"))  # of the user; it must not reach the job
        checkout = Checkout(folder)
        plan = checkout.configure(*MINIATURE, *SMALL_GRID, *TINY)
        target = (plan.corpus / "corpus.json").relative_to(folder)
        said = checkout.make("--use-conda", str(target))
    return folder, folder / target, said


@pytest.fixture(scope="module")
def environment(run):
    (path,) = (path for path in (run[0] / ".snakemake/conda").iterdir() if path.is_dir())
    return path


def ran(environment: Path):
    return [json.loads(line) for line in (environment / "ran").read_text().splitlines()]


def test_the_job_ran_in_the_environment_of_conda(run, environment):
    _, made, said = run
    assert made.is_file()
    assert said.count("Creating conda environment") == 1
    jobs = [each for each in ran(environment) if each["argv"][:3] == ["-m", "trml", "corpus"]]
    assert {each["argv"][4] for each in jobs} == {f"work/corpora/{made.parent.name}"}
    assert {each["pythonpath"] for each in jobs} == {None}


def test_the_script_after_deployment_brings_in_this_checkout(environment):
    (path,) = environment.glob("lib/python*/site-packages/trml.pth")
    assert path.read_text() == f"{ROOT / 'src'}\n"
    assert ["-c", "import trml"] in [each["argv"] for each in ran(environment)]
