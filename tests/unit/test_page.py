"""The page: its data, its policy, and what a reader without script sees."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace

import polars as pl
import pytest

from helpers.synthetic_report import report_inputs
from helpers.synthetic_study import CELLS
from trml.base.artifacts import read_json
from trml.evaluation.contract import MetricInfo
from trml.report.build import build
from trml.report.curves import View
from trml.report.dataset import Dataset
from trml.report.page import numbers
from trml.report.page.headlines import headlines
from trml.report.page.published import Published
from trml.report.page.readout import readout

TEXT = "</script><b>oh & no"
MAE = MetricInfo("mae", "MAE", False, True, True)
CORR = MetricInfo("corr", "Corr", True, True, False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small study of a generated corpus with a regime, and the folder of its results."""
    folder = tmp_path_factory.mktemp("page")
    few = report_inputs(folder / "few", dataset="few", purpose="regime", labels=40, victims=("vision", "text"))
    inputs = report_inputs(folder / "own", others=[few], text=TEXT, paired=True, factors={"shared": ["text", "vision"]})
    results = folder / "results"
    results.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trml.report.build.all_figures", lambda data: iter(()))
        build(inputs, results)
    return inputs, results


@pytest.fixture(scope="module")
def page(made):
    return (made[1] / "report/index.html").read_text()


@pytest.fixture(scope="module")
def data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


@pytest.fixture
def own(made):
    inputs, results = made
    return Published(results, "study", inputs.study, Dataset(inputs).metrics)


def text_of(part):
    """The words of a piece of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", part)).split())


def test_the_findings_are_on_the_page(page, own, made):
    (few,) = made[0].others
    found = headlines([own, replace(own, study=few.study)])
    assert len(found) == 3 and "40 labelled training utterances" in found[1].headline
    for finding in found:
        assert html.escape(finding.headline, quote=False) in page.replace("&#39;", "'")


def test_the_script_has_every_published_score(data, own):
    """Compared with the file: no difference, and nothing left out."""
    (dataset, few), compared = data["sets"], 0
    for key, flat in dataset["scores"].items():
        protocol, victim, scored, metric = key.split("|")
        rates = dataset["victims"][victim]["rates"]
        names = [*dataset["methods"], "constant", "ceiling"]
        at = own.summary.filter(victim=victim, metric=metric, variant="default")
        for m, name in enumerate(names):
            for i, rate in enumerate(rates):
                kept = {"vision": "text"}.get(victim, "vision")
                row = at.filter(
                    pl.col("protocol") == ("matched" if rate == 0 else protocol),
                    pl.col("present") == ("all" if scored == "all" or rate == 1 else kept),
                    method=name, rate=rate, trained=rate if protocol == "matched" else 0.0,
                )  # fmt: skip
                shown = flat[3 * (m * len(rates) + i)]
                assert (shown is None) == (row.height == 0 or (scored == "lacking" and rate == 0)), (key, name, rate)
                if shown is not None:
                    assert shown / 1e6 == pytest.approx(row["value"][0], abs=1e-6)
                    compared += 1
    assert compared > 200 and few["id"] == "few"


def test_pairs_lead_to_the_verdicts_of_the_file(data, own):
    dataset = data["sets"][0]
    verdicts = ("better", "worse", "equivalent", "undecided", "too little data", "failed")
    rows = dataset["pairs"]["matched|vision|all|mae"]
    found = {(dataset["methods"][a], dataset["methods"][b], i): verdicts[word] for a, b, i, *_, word in rows}
    rates = dataset["victims"]["vision"]["rates"]
    published = own.pairs.filter(protocol="matched", victim="vision", present="all", metric="mae")
    expected = {
        (row["first"], row["second"], rates.index(row["rate"])): row["verdict"]
        for row in published.iter_rows(named=True)
        if row["second"] != "constant"
    }
    assert found == expected and len(found) > 5


def test_cells_lead_from_a_score_to_its_trainings(data):
    dataset = data["sets"][0]
    method, rate = dataset["methods"].index("trml"), dataset["victims"]["vision"]["rates"].index(0.5)
    (cell,) = dataset["trained"]["matched|vision"][method][rate]
    assert dataset["cells"][cell] == CELLS[0]
    cells, scores = dataset["cellScores"]["vision@0.5"]
    assert scores[cells.index(cell)][0] == 500000


def test_the_default_view_is_complete_without_script(page, own):
    """The static page, as a browser without script shows it."""
    static = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert static.count('<div class="chart"') == 2 and static.count("<path") > 10
    shown = re.search(r'<table id="readout">(.*?)</table>', static, re.DOTALL)[1]
    view = View("matched", "vision", own.primary)
    lines = readout(own, view, 0.5, "trml")
    rows = re.findall(r"<tr>(.*?)</tr>", shown.partition("<tbody>")[2], re.DOTALL)
    assert len(rows) == len(lines) >= 6
    for line, row in zip(lines, map(text_of, rows), strict=True):
        assert row.startswith(line.label) and line.value in row and line.low_high in row and line.verdict in row
    for name in ("leaderboard", "every-pair", "claim-C1", "claim-C3", "grids", "utterances", "made"):
        assert f'id="{name}"' in static
    assert 'id="controls" class="controls" aria-label="What is shown" hidden' in static
    for label in own.study.entries.values():
        assert static.count(label) > 5


def test_numbers_carry_their_address(page, made):
    static = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    addresses = set(re.findall(r'title="trml trace ([^"]*)"', static))
    assert {"study:main/trml/vision@0.5", "study:claim_c1/zero_fill/vision@0.5"} <= addresses
    tables = {path.stem for path in (made[1] / "tables").glob("*.csv")}
    assert {address.removeprefix("study:").split("/")[0] for address in addresses} <= tables


def test_texts_of_a_corpus_end_no_element(page, data):
    assert "&lt;/script&gt;&lt;b&gt;oh &amp; no" in page and TEXT not in page
    assert data["utterances"]["texts"][0] == "text 22" and data["utterances"]["classes"] == []


def test_only_these_scripts_run_and_nothing_is_loaded(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    scripts = re.findall(r'<script(?: type="module")?>(.*?)</script>', page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(scripts) == 3 and all(f"'sha256-{digest}'" in policy for digest in digests)
    assert policy.startswith("default-src 'none'") and "unsafe-eval" not in policy and "http" not in policy


def test_predictions_are_those_of_the_published_cells(data):
    bank = data["utterances"]
    without = next(view for view in bank["views"] if view["label"] == "without vision")
    steps = memoryview(base64.b64decode(without["values"])).cast("H")
    assert without["methods"] == ["trml", "zero_fill"] and len(steps) == 2 * len(bank["ids"])
    assert [(step - bank["offset"]) / bank["steps"] for step in steps[:3]] == pytest.approx([0.0, 0.1, 0.2])


def test_texts_and_labels_of_other_corpora_are_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr("trml.report.build.all_figures", lambda data: iter(()))
    folder = tmp_path / "results"
    folder.mkdir()
    build(report_inputs(tmp_path / "made", text="a private sentence"), folder)
    page = (folder / "report/index.html").read_text()
    found = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])["utterances"]
    assert found["texts"] is None and found["labels"] is None and "a private sentence" not in page


def test_json_of_claims_is_what_the_forest_shows(page, made):
    for claim in read_json(made[1] / "claims.json"):
        part = re.search(rf'<article class="forest" id="claim-{claim["id"]}">(.*?)</article>', page, re.DOTALL)[1]
        words = text_of(part)
        for c in claim["comparisons"]:
            assert numbers.signed(c["effect"]) in words and c["verdict"] in words
