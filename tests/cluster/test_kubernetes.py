"""The Kubernetes profile, without a cluster: manifests against Kubernetes' schemas, and a run through a stand-in."""

import copy
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cluster.test_slurm import bytes_of, checkout
from conftest import ROOT

validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate").validate
PROFILE = ROOT / "workflow/profiles/kubernetes"


@pytest.mark.parametrize("version", ["1.27", "1.31", "1.34"])
@pytest.mark.parametrize("gpus", [0, 1])
def test_manifests_are_valid(version, gpus):
    made = runpy.run_path(str(PROFILE / "job.py"))["manifest"]
    job = made(yaml.safe_load((PROFILE / "job.yaml").read_text()), "/trml/x.sh", 4, 4000, 60, gpus)
    validate(job, version, strict=True)
    wrong = copy.deepcopy(job)
    wrong["spec"]["backofLimit"] = 0
    with pytest.raises(Exception, match="backofLimit"):
        validate(wrong, version, strict=True)


def test_a_run_by_manifests_has_the_bytes_of_a_local_one(tmp_path):
    for name in ("local", "pods", "jobs", "bin"):
        (tmp_path / name).mkdir()
    local, folder = checkout(tmp_path / "local"), checkout(tmp_path / "pods").folder
    (folder / "profiles").symlink_to(ROOT / "profiles")
    (tmp_path / "bin/kubectl").symlink_to(ROOT / "tests/cluster/kubectl.py")
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KUBECTL_JOBS": str(tmp_path / "jobs")}
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--workflow-profile", str(PROFILE), "--set-scatter", "encode=2", "--jobs", "2"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    local.make()
    assert bytes_of(folder) == bytes_of(local.folder)
    manifests = [json.loads(path.read_text()) for path in (tmp_path / "jobs").glob("*.json")]
    asked = [job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] for job in manifests]
    assert set(asked) == {"4000M", "8000M"}  # as the rules say
