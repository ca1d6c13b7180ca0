"""The wheel that a release has: whole, and of use in a folder that is no checkout."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

# Extras that an installation may lack.
WITHOUT = ("torch", "torchvision", "open_clip", "transformers", "av", "h5py", "skimage", "snakemake", "dvc")
HIDE = """
import sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, *arguments):
        return None if name.partition(".")[0] in {names} else self.finder.find_spec(name, *arguments)

sys.meta_path[:] = map(Hiding, sys.meta_path)
"""
USES = """
import numpy as np
import trml.evaluation.evaluate, trml.report.build
from trml.evaluation.metrics.regression import metrics
from trml.evaluation.statistics import crossed
from trml.report.registry import all_figures, all_tables
print(len(metrics("regression", 0)), f"{crossed(np.arange(60.0).reshape(3, 20)).mean:g}")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """What pip would put into site-packages."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--wheel", "--no-isolation", "--skip-dependency-check", "--outdir", folder]
    done = subprocess.run(
        [sys.executable, "-m", "build", *options, ROOT], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def run(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}  # before the checkout, which is installed as editable
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_file_of_the_package_is_in_the_wheel(installed):
    source = ROOT / "src" / "trml"
    files = {str(p.relative_to(source)) for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {name for name in files if not (installed / "trml" / name).is_file()} == set()


def test_the_wheel_has_what_a_run_reads_beside_the_package(installed):
    project = installed / "trml" / "project"
    for folder in ("config", "workflow"):
        for path in (p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            assert (project / path.relative_to(ROOT)).read_bytes() == path.read_bytes()
    assert (project / "profiles" / "default" / "config.yaml").is_file()
    assert (project / "Snakefile").is_file() and (project / "CITATION.cff").is_file()


def test_the_command_works_outside_a_checkout(installed, tmp_path):
    where = run(installed, tmp_path, "-c", "import trml; print(trml.__file__)").stdout
    assert where.startswith(str(installed))
    assert run(installed, tmp_path, "-m", "trml", "--help").returncode == 0
    assert "zero_fill" in run(installed, tmp_path, "-m", "trml", "methods").stdout
    composed = run(installed, tmp_path, "-m", "trml", "compose", "protocol.seeds=[2020,2021,2022]")
    assert composed.returncode == 0, composed.stderr
    assert yaml.safe_load((tmp_path / "params.yaml").read_text())["protocol"]["seeds"] == [2020, 2021, 2022]
    cited = run(installed, tmp_path, "-m", "trml", "cite")
    assert "@misc{trml2026pantomime" in cited.stdout, cited.stderr
    traced = run(installed, ROOT, "-m", "trml", "trace", "pantomime_full:main/trml/vision@0.5")
    assert traced.returncode == 0 and "main/trml/vision@0.5" in traced.stdout, traced.stderr


def test_the_workflow_of_the_wheel_plans_a_run_outside_a_checkout(installed, tmp_path):
    assert run(installed, tmp_path, "-m", "trml", "compose").returncode == 0
    snakefile = installed / "trml" / "project" / "Snakefile"
    planned = run(installed, tmp_path, "-m", "snakemake", "--snakefile", str(snakefile), "--cores", "1", "-n")
    assert planned.returncode == 0, planned.stderr
    assert {"corpus", "train", "publish"} <= set(re.findall(r"\w+", planned.stdout))


def test_scores_statistics_and_report_work_without_the_other_extras(installed, tmp_path):
    assert run(installed, tmp_path, "-c", f"{HIDE.format(names=WITHOUT)}\nimport torch").returncode == 1
    done = run(installed, tmp_path, "-c", f"{HIDE.format(names=WITHOUT)}\n{USES}")
    assert done.stdout.split() == ["7", "29.5"], done.stderr
