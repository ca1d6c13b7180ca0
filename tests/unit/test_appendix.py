"""The artifact appendix is that of the published results, and its rows are their claims."""

import re
import shutil

import pytest

from artifact_appendix import PAGE, RESULTS, appendix
from conftest import ROOT
from helpers.command import parses
from trml.base.artifacts import read_json, write_json


def test_the_page_is_that_of_the_published_results():
    assert PAGE.read_text() == appendix(), "run `make docs`"


def test_every_claim_has_its_verdict_and_an_existing_table():
    rows = re.findall(r"^\| (C\w+): .*? \| (\w+) \| (\w+) \| (\d+)/(\d+)/(\d+) \| `(.*)` \|$", appendix(), re.MULTILINE)
    own = {claim["id"]: claim for claim in read_json(RESULTS / "claims.json")}
    assert [row[0] for row in rows if row[1] == "own"] == list(own)
    for name, dataset, verdict, *counts, table in rows:
        assert (RESULTS / table).is_file()
        if dataset == "own":
            assert verdict == own[name]["verdict"]
            assert sum(map(int, counts)) == len(own[name]["comparisons"])


def test_its_commands_exist():
    targets = (ROOT / "Makefile").read_text()
    for command in re.findall(r"`((?:make|trml) [^`]*)`", appendix()):
        words = command.split()
        if words[0] == "make":
            assert f"\n{words[1]}:" in targets, command
        else:
            parses(words[1:])


@pytest.mark.parametrize("machine", [{"processor": "A processor", "system": "Linux", "machine": "x86_64"}, None])
def test_what_the_results_do_not_hold_is_not_said(machine, tmp_path):
    shutil.copytree(RESULTS, tmp_path / "results", ignore=shutil.ignore_patterns("figures", "report"))
    manifest = read_json(tmp_path / "results/manifest.json")
    made = {**manifest, "training_wall_s": 120.0, **({"machine": machine} if machine else {})}
    write_json(tmp_path / "results/manifest.json", made)
    page = appendix(tmp_path / "results")
    assert "2 minutes for all trainings" in page and "disk | not recorded" in page
    assert ("A processor" in page) == bool(machine)
