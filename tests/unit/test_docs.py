"""The pages agree with the repository: links, commands, configurations, tables of columns, numbers."""

import json
import re
import shlex
import tomllib
from functools import cache

import polars as pl
import pytest
import yaml

from conftest import ROOT
from helpers import commands as shown
from trml import __version__
from trml.cli.main import main
from trml.config.compose import compose
from trml.config.load import check
from trml.evaluation import schemas
from trml.evaluation.foreseen import detectable
from trml.planning.plan import Plan, plans

DOCS = ROOT / "docs"
OWN = [page for page in sorted(DOCS.glob("*.md")) if page.name != "index.md"]  # which `make site` writes
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "config/README.md")
PAGES = [*(ROOT / name for name in BESIDE), *OWN]
PUBLISHED = ROOT / "results" / "pantomime_full"
# What guides add, which no configuration of the repository has.
OF_GUIDES = ("present_mean", "reviews", "thumbnails", "seldom_text", "my_methods", "corpus=own_corpus")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    absent = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert [link for link in absent if not link.startswith("_generated/")] == []  # which `make site` writes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_anchors_exist(page):
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text()):
        target = page.parent / link if link else page
        if target.suffix == ".md" and "://" not in link:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [p for p in PAGES if "adding_" not in p.name], ids=lambda page: page.name)
def test_files_that_are_named_exist(page):
    named = re.findall(r"`((?:src|tests|docs|config|tools|workflow|benchmarks)/[\w/.-]+\.\w+)`", page.read_text())
    made = ("config/method/present_mean.yaml",)
    absent = [path for path in named if not re.search(r"/(x|NAME)\.", path) and not (ROOT / path).exists()]
    assert [path for path in absent if path not in made] == []


def test_every_page_is_in_the_contents():
    contents = (DOCS / "README.md").read_text()
    linked = re.findall(r"^- \[.*?\]\((.*?)\)", contents, re.MULTILINE)
    pages = sorted(name for name in linked if "/" not in name and name.endswith(".md"))
    assert pages == sorted(page.name for page in OWN if page.name != "README.md")
    assert len(linked) == len(set(linked))


# --- commands ---


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_taken(page):
    found = [*shown.commands(page), *(c for c in shown.mentioned(page) if len(c.words) > 2)]
    faults = {str(command): shown.refused(command) for command in found}
    assert {command: fault for command, fault in faults.items() if fault} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_verbs_and_targets_that_sentences_name_exist(page):
    for command in shown.mentioned(page):
        if command.words[0] == "make":
            assert command.words[1] in shown.targets(), str(command)
        else:
            assert shown.refused_by_trml((*command.words[:2], "--help")) is None, str(command)


def test_commands_are_found():
    assert sum(len(shown.commands(page)) for page in PAGES) > 80
    (refused,) = (shown.refused(shown.Command(DOCS / "x.md", ("trml", "compoze"))),)
    assert refused
    assert shown.refused(shown.Command(DOCS / "x.md", ("make", "results", "EXPERIMENT=nothing")))
    assert shown.refused(shown.Command(DOCS / "x.md", ("snakemake", "--corez", "all")))
    assert shown.refused(shown.Command(DOCS / "x.md", ("dvc", "pulll")))


@cache
def composed(*overrides: str) -> dict:
    return yaml.safe_load(compose(list(overrides), ROOT / "config"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_compositions_compose(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command in shown.commands(page):
        overrides = shown.overrides(command.words)
        if overrides and not shown.is_template(command.words) and not any(w in str(command) for w in OF_GUIDES):
            assert composed(*overrides), str(command)


TRACED = [c for page in PAGES for c in shown.commands(page) if c.words[:2] == ("trml", "trace")]


@pytest.mark.parametrize("command", [c for c in TRACED if not shown.is_template(c.words)], ids=str)
def test_traces_lead_to_a_number(command, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    main(list(command.words[1:]))
    assert "sha256" in capsys.readouterr().out


def test_code_of_the_page_on_results_runs(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "reading_results.md").read_text(), re.DOTALL)
    space: dict = {}
    exec(compile(code, "reading_results.md", "exec"), space)
    assert space["mae"].height >= 10 and set(space["mae"]["seed"]) == {2020, 2021, 2022, 2023, 2024}
    assert capsys.readouterr().out


# --- numbers and names ---


def test_the_page_on_shrinking_counts_trainings(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (DOCS / "shrink.md").read_text()
    smallest, verdicts = re.findall(r"^trml compose (.*'~datasets')$", page, re.MULTILINE)[:2]

    def trainings(*overrides: str) -> int:
        planned = plans(check(composed(*overrides)), tmp_path, ROOT / "config")
        return len({cell.digest for plan in planned for cell in plan.cells})

    small, enough, whole = (trainings(*shlex.split(words)) for words in (smallest, verdicts, "experiment=pantomime"))
    assert f"{small} trainings instead of {whole}:" in page
    assert f"These are {enough} trainings" in page
    assert f"{small} trainings instead of {whole}" in (DOCS / "tour.md").read_text()


COUNTED = [
    ("corpora.md", r"`experiment=mosi` \((\S+) trainings", "experiment=mosi"),
    ("performance.md", r"`experiment=stress` \(three generated\ncorpora, (\S+) trainings", "experiment=stress"),
    ("../config/experiment/stress.yaml", r"a seed and corpus: (\S+) in all", "experiment=stress"),
    ("own_data.md", r"The run makes (\S+) trainings", None),
    ("scale.md", r"the default experiment, (\S+) trainings", "experiment=pantomime"),
]


@pytest.mark.parametrize(("page", "pattern", "words"), COUNTED, ids=[page for page, *_ in COUNTED])
def test_numbers_of_trainings_are_those_of_a_dry_run(page, pattern, words, tmp_path, monkeypatch):
    """Whatever raw files there are: how many trainings there are does not depend on them."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(Plan, "raw_files", [])
    monkeypatch.setattr(Plan, "unfetched", False)
    text = (DOCS / page).read_text()
    planned = plans(check(composed(*(tutorial() if words is None else [words]))), tmp_path, ROOT / "config")
    cells = {cell.digest for plan in planned for block in plan.blocks.values() for cell in block.cells}
    assert re.findall(pattern, text) == [f"{len(cells):,}"]
    if words is None:
        assert f"results/{planned[0].named.published}: published" in text


def tutorial() -> list[str]:
    """The settings of the run on one's own data."""
    commands = re.findall(r"^trml compose (experiment=own .*)$", (DOCS / "own_data.md").read_text(), re.MULTILINE)
    return shlex.split(max(commands, key=len))


def test_the_table_of_detectable_differences_is_right():
    page = (DOCS / "statistics.md").read_text()
    rows = re.findall(r"^\| ([\d,]+) utterances in (\d+) groups \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) == 5
    for utterances, groups, task, cells in rows:
        n = int(utterances.replace(",", ""))
        least = [detectable(task, seeds, int(groups), n) for seeds in (3, 5, 10)]
        assert cells.split(" | ") == [f"{each:.1%}".replace("%", " %") for each in least]


def test_the_table_of_false_findings_is_the_simulations():
    page = (DOCS / "statistics.md").read_text()
    simulated = (ROOT / "benchmarks/statistics/results.md").read_text()
    for seeds in (3, 5, 10):
        (cells,) = re.findall(
            rf"^\| {seeds} seeds, 50 groups of 10 utterances, correlation 0.15 \| (.*) \| \S+ % \|$", simulated, re.M
        )
        assert f"| {seeds} | {cells} |" in page


@pytest.mark.parametrize("schema", ["METRICS", "PAIRS", "AXES", "REDUNDANCY", "CALIBRATION", "RETRIEVAL", "FACTORS"])
def test_every_published_column_is_explained(schema):
    words = set(re.findall(r"[\w]+", (DOCS / "files.md").read_text()))
    shared = {"method", "value", "low", "high"}
    families = ("_chance", "_best", "_raw")
    columns = {c for c in getattr(schemas, schema) if not c.endswith(families)} - shared
    assert columns - words == set()


def test_every_published_file_is_explained():
    page = (DOCS / "files.md").read_text()
    names = {path.name.partition(".")[0] for path in PUBLISHED.iterdir()}
    further = {name for name in names if re.match(r"(metrics|pairs|claims|summary)_", name)}
    assert {name for name in names - further if name not in page} == set()
    tables = {path.stem for path in (PUBLISHED / "tables").glob("*.csv")}
    patterns = [name.replace("*", ".*") for name in re.findall(r"`([\w*]+)`", page)]
    own = {t for t in tables if not re.search(r"_(untold|unseen|few_labels|rotated|separate|labels_\d+)$|search_", t)}
    assert {table for table in own if not any(re.fullmatch(pattern, table) for pattern in patterns)} == set()


def test_keys_of_claims_and_manifest_are_explained():
    words = set(re.findall(r"\w+", (DOCS / "files.md").read_text()))
    claim = json.loads((PUBLISHED / "claims.json").read_text())[0]
    keys = {*claim, *claim["comparisons"][0], *json.loads((PUBLISHED / "manifest.json").read_text())}
    assert keys - words == set()


def test_columns_of_scores_are_the_tables():
    assert set(pl.read_csv(PUBLISHED / "tables/main.csv", n_rows=0).columns) <= set(schemas.SUMMARY)


def test_the_glossary_is_in_order():
    terms = re.findall(r"^\*\*(.*?)\.\*\*", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert len(terms) >= 49 and terms == sorted(terms, key=str.lower)


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert project["version"] == citation["version"] == __version__ == headings[1]
    assert headings[0] == "Unreleased"
