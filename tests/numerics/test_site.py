"""The site builds without a warning, has every page, and asks no other host for anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--doctree-dir", folder / "doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, ROOT / "docs", folder / "html"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder / "html"


def test_every_page_is_on_the_site(site):
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"README"}
    assert {name for name in pages if not (site / f"{name}.html").is_file()} == set()
    generated = {path.stem for path in (site / "_generated").glob("*.html")}
    sections = re.findall(r"^## (.*)$", (ROOT / "docs/README.md").read_text(), re.MULTILINE)
    assert {section.lower().replace(" ", "_") for section in sections} <= generated
    assert {"api", "changelog", "contributing", "configuration"} <= generated


def test_pages_link_to_each_other_and_show_pictures(site):
    tour = (site / "tour.html").read_text()
    assert 'href="reading_results.html"' in tour and tour.count("<img") >= 3
    for picture in re.findall(r'<img [^>]*src="([^"]+)"', tour):
        assert (site / picture).is_file()
    assert 'href="_generated/changelog.html"' in (site / "versions.html").read_text()


def test_the_reference_is_of_docstrings(site):
    page = (site / "_generated/api/trml.methods.contract.html").read_text()
    assert "Return predictions [B, outputs] from the present modalities" in page
    assert "utterances.parquet" in (site / "_generated/api/trml.corpora.contract.html").read_text()


def test_no_page_asks_another_host(site):
    for page in site.rglob("*.html"):
        text = page.read_text()
        asked = re.findall(r'<(?:script|img|iframe|source)[^>]* src="(https?:[^"]+)"', text)
        asked += re.findall(r'<link[^>]* rel="(?:stylesheet|preload|icon)"[^>]* href="(https?:[^"]+)"', text)
        assert asked == [], page
