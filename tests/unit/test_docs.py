"""The pages agree with the repository: links lead somewhere, and the commands of the Makefile that they name exist."""

import re

import pytest

from conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    absent = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert absent == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", [p for p in PAGES if "adding_" not in p.name], ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    named = re.findall(r"`((?:src|tests|docs|config|tools|workflow|benchmarks)/[\w/.-]+\.\w+)`", page.read_text())
    absent = [path for path in named if not re.search(r"/(x|NAME)\.", path) and not (ROOT / path).exists()]
    assert absent == []
