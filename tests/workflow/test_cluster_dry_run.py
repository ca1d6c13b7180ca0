"""A dry run with the profile of a cluster: what its jobs would ask for."""

import re

from conftest import ROOT
from helpers.checkout import MINIATURE, SMALL_GRID, Checkout


def test_jobs_of_the_slurm_profile_ask_for_memory_and_time(tmp_path):
    made = Checkout(tmp_path)
    made.configure(*MINIATURE, *SMALL_GRID)
    profile = ["--workflow-profile", str(ROOT / "profiles/slurm"), "--set-scatter", "encode=3"]
    said = made.make("--dry-run", *profile, "--set-resources", "train:mem_mb=12345", "--quiet", "host")
    jobs = dict(re.findall(r"^ *rule (\w+):\n((?: {4,}.*\n)+)", said, re.M))
    asked = {rule: re.search(r"resources: (.*)", text) for rule, text in jobs.items()}
    for rule in ("corpus", "pretrain", "encode", "features", "probe", "refer", "evaluate", "report"):
        assert re.search(r"mem_mb=\d{4}\b.*runtime=\d+", asked[rule].group()), rule
    assert "mem_mb=12345" in asked["train"].group()
    assert len(re.findall(r"^rule encode:", said, re.M)) == 3
