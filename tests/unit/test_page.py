"""The page: its numbers, its findings, its data, and what a reader without script sees."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest

from helpers.synthetic_report import CELLS, METHODS, report_inputs
from trml.base.artifacts import read_json
from trml.evaluation.contract import MetricInfo
from trml.report.build import build
from trml.report.curves import View, differences, less, over_rates, pair_rows, pushed_apart
from trml.report.dataset import Dataset
from trml.report.looks import DARK, FAMILIES, LIGHT, MARKERS, looks
from trml.report.page import numbers
from trml.report.page.headlines import against_baselines, headlines, loss_terms, too_little, virtual_vectors
from trml.report.page.leaderboard import leaderboard
from trml.report.page.published import Published
from trml.report.page.readout import readout, verdict_words

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


# ---- numbers


@pytest.mark.parametrize(
    ("value", "as_score", "as_difference"),
    [(0.38749, "0.387", "+0.387"), (-0.014, "−0.014", "−0.014"), (0.0, "0.000", "0.000"), (-0.0004, "0.000", "0.000")],
)
def test_scores_and_differences_have_true_minus_signs(value, as_score, as_difference):
    assert numbers.score(value) == as_score
    assert numbers.signed(value) == as_difference


def test_what_is_not_known_is_empty_and_intervals_say_to():
    assert numbers.score(None) == numbers.signed(None) == numbers.interval(None, 1.0) == numbers.p_value(None) == ""
    assert numbers.interval(0.355, 0.4219) == "0.355 to 0.422"
    assert numbers.signed_interval(-0.014, 0.029) == "−0.014 to +0.029"
    assert (numbers.p_value(0.0001), numbers.p_value(0.0426)) == ("p < 0.001", "p 0.043")
    assert numbers.percent(0.5) == "50\N{NO-BREAK SPACE}%"
    assert numbers.listed(["a", "b", "c"]) == "a, b and c"


def test_texts_of_tables_are_split_and_sorted_by_their_numbers():
    assert numbers.scored("0.387 [-0.355, 0.422]") == ("0.387", "−0.355 to 0.422", "")
    assert numbers.scored("0.50 [0.50, 0.50], misled") == ("0.50", "0.50 to 0.50", ", misled")
    assert numbers.scored("better") is None
    assert (numbers.sort_key("1,234"), numbers.sort_key("−0.5 x"), numbers.sort_key("TRML")) == (1234.0, -0.5, None)
    assert numbers.typeset("from -0.5 to 50% of x-1") == "from −0.5 to 50\N{NO-BREAK SPACE}% of x-1"


# ---- looks


def contrast(one, other):
    """WCAG's contrast of two colours."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_marks_and_texts_stand_out_on_both_papers():
    for family in FAMILIES.values():
        assert contrast(family.light, LIGHT["paper"]) >= 3, family.name
        assert contrast(family.dark, DARK["paper"]) >= 3, family.name
    for colours in (LIGHT, DARK):
        assert contrast(colours["ink"], colours["paper"]) >= 7
        assert contrast(colours["muted"], colours["paper"]) >= 4.5
        assert contrast(colours["muted"], colours["shade"]) >= 4.5


def test_a_method_keeps_its_look_whatever_else_is_compared(made):
    study = made[0].study
    extra = replace(METHODS[2], name="smil", label="SMIL")
    few, many = looks(replace(study, methods=METHODS[2:3])), looks(replace(study, methods=(*METHODS, extra)))
    assert few["zero_fill"] == many["zero_fill"]
    assert many["smil"].family.name == "generate" and many["trml"].family.name == "proposed"


def test_strangers_have_the_neutral_colour_and_markers_of_their_own(made):
    strangers = [replace(METHODS[2], name=f"mine_{i}", label=f"Mine {i}") for i in range(4)]
    found = looks(replace(made[0].study, methods=(*METHODS[:1], *strangers)))
    assert {found[m.name].family.name for m in strangers} == {"supervised"}
    assert len({found[m.name].marker for m in strangers}) == 4
    assert len({(marker.vega, marker.dash) for marker in MARKERS}) == len(MARKERS)


# ---- curves


def test_labels_are_pushed_apart_and_stay_in_the_frame():
    at = pushed_apart([0.50, 0.50, 0.51, 0.9], 0.0, 1.0, 0.1)
    assert all(b - a >= 0.099 for a, b in pairwise(at)) and min(at) >= 0 and max(at) <= 1
    assert pushed_apart([0.1, 0.9], 0.0, 1.0, 0.1) == [0.1, 0.9]
    assert pushed_apart([], 0.0, 1.0, 0.1) == []


@pytest.mark.parametrize(("metric", "sign"), [(MAE, -1), (CORR, 1)])
def test_a_difference_is_the_methods_score_less_the_references(metric, sign):
    """`effect` says how much better the first is, whichever way the metric points."""
    row = {"first": "a", "second": "b", "rate": 0.5, "effect": 0.1, "low": 0.02, "high": 0.15, "p": 0.01}
    row |= {"p_equivalent": 0.9, "detectable": 0.05, "margin": 0.03, "verdict": "better"}
    pairs = pl.DataFrame([row])
    (of_a,) = less(pairs, "b", metric).rows(named=True)
    (of_b,) = less(pairs, "a", metric).rows(named=True)
    assert (of_a["method"], of_a["value"], of_a["verdict"]) == ("a", pytest.approx(sign * 0.1), "better")
    assert (of_b["method"], of_b["value"], of_b["verdict"]) == ("b", pytest.approx(-sign * 0.1), "worse")
    assert [of_a["low"], of_a["high"]] == pytest.approx(sorted((sign * 0.02, sign * 0.15)))
    assert [of_b["low"], of_b["high"]] == pytest.approx(sorted((-sign * 0.02, -sign * 0.15)))


def test_a_figure_is_scaled_to_what_it_shows_and_leaves_the_constant_out(own):
    view = View("matched", "vision", own.primary)
    curves = over_rates(own.summary, own.study, view, own.looks, ["trml"], ["trml"])
    low, high = curves.domain
    shown = [*curves.drawn["low"], *curves.drawn["high"], *curves.bound["y"]]
    assert low < min(shown) and high > max(shown) and high - low < 1.2 * (max(shown) - min(shown))
    assert set(curves.drawn["method"]) == {"trml"} and "constant" not in curves.rows["method"]
    apart = differences(own.pairs, own.study, view, own.looks, list(own.looks), "trml")
    assert "trml" not in apart.drawn["method"] and apart.margin == 0.03 and apart.zero


def test_utterances_that_lack_something_are_scored_apart(own):
    rows = pair_rows(own.pairs, own.study, View("matched", "vision", own.primary, lacking=True))
    assert set(rows.select("rate", "present").iter_rows()) == {(0.5, "text"), (1.0, "all")}


# ---- findings


def comparison(verdict, effect=0.01, **more):
    base = {"against": "zero_fill", "label": "Zero fill", "victim": "vision", "rate": 0.5, "effect": effect}
    ends = {"low": None, "high": None} if effect is None else {"low": effect - 0.01, "high": effect + 0.01}
    base |= {**ends, "margin": 0.03, "verdict": verdict, "speaks": ""}
    return base | more


def claim_with(*comparisons, name="C1", verdict="undecided"):
    about = {"id": name, "verdict": verdict, "unit": "MAE", "seeds": 5, "groups": 40, "utterances": 100}
    return {**about, "comparisons": list(comparisons)}


OTHER = {"against": "single", "label": "Single"}


@pytest.mark.parametrize(
    ("comparisons", "headline"),
    [
        ([comparison("equivalent")] * 2, "TRML is as good as its baselines, and no better"),
        ([comparison("undecided")] * 2, "No difference between TRML and its baselines that this run can see"),
        ([comparison("better"), comparison("undecided", **OTHER)], "TRML is better than Zero fill, but not than every"),
        ([comparison("better")], "TRML is better than Zero fill"),
        ([comparison("worse", -0.2)], "TRML is worse than Zero fill"),
        ([comparison("better"), comparison("worse", **OTHER)], "TRML is better than Zero fill, and worse than Single"),
        ([comparison("equivalent"), comparison("undecided")], "TRML is shown to be neither better nor worse"),
    ],
)
def test_the_headline_says_what_the_comparisons_bear(own, comparisons, headline):
    found = against_baselines(own, claim_with(*comparisons))
    assert found.headline.startswith(headline)
    assert "MAE" in found.body and found.address.startswith("study:claim_c1/")


def test_a_finding_whose_premise_fails_is_not_printed(own):
    nothing = claim_with(comparison("too little data", None), comparison("failed", None))
    assert against_baselines(own, nothing) is None and against_baselines(own, None) is None
    assert loss_terms(own, claim_with(name="C3")) is None
    assert virtual_vectors(own, claim_with(comparison("undecided"), name="C4")) is None
    assert virtual_vectors(own, claim_with(comparison("better"), name="C4", verdict="supported")) is not None
    assert too_little(own) is None  # its claims were judged


def test_counts_and_the_largest_difference_are_in_the_sentence(own):
    rows = [comparison("equivalent", 0.001), comparison("worse", -0.25, rate=0.9, **OTHER), comparison("equivalent")]
    body = against_baselines(own, claim_with(*rows)).body
    assert body == (
        "Of three comparisons one worse and two equivalent (the margin is 0.030). The largest difference: −0.250 MAE "
        "[−0.260 to −0.240], Single, 90\N{NO-BREAK SPACE}% of vision missing."
    )


def test_too_little_data_is_said_and_nothing_else(own, monkeypatch):
    lacking = claim_with(comparison("too little data", None), verdict="too little data")
    monkeypatch.setattr(Published, "claims", [lacking])
    (first,) = headlines([own])
    assert first.headline == "Too little data for a verdict" and "five seeds and 40 groups" in first.body


# ---- the page


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
    assert len(scripts) == 2 and all(f"'sha256-{digest}'" in policy for digest in digests)
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


def test_a_verdict_is_a_word_with_what_stands_behind_it():
    pair = {"p": 0.2, "p_equivalent": 0.01, "margin": 0.02, "detectable": 0.03}
    words = {v: verdict_words({**pair, "verdict": v}, "Zero fill", "TRML") for v in ("better", "worse", "equivalent")}
    assert words["better"] == ("Zero fill better", True, "p 0.200")
    assert words["worse"][0] == "TRML better" and words["equivalent"][2] == "within 0.020, p 0.010"
    assert verdict_words({**pair, "verdict": "undecided"}, "a", "b") == ("undecided", False, "p 0.200, can see 0.030")
    assert verdict_words({**pair, "verdict": "too little data"}, "a", "b") == ("too little data", False, "")


def test_the_leaderboard_runs_from_the_constant_to_the_best_possible(own):
    board = leaderboard(own)
    column = next(
        i for i, c in enumerate(board.columns) if (c.victim, c.rate, c.protocol) == ("vision", 0.5, "matched")
    )
    at = own.summary.filter(protocol="matched", victim="vision", rate=0.5, trained=0.5, present="all", metric="mae")
    value = dict(at.filter(variant="default").select("method", "value").iter_rows())
    line = next(line for line in board.lines if line.method == "zero_fill")
    share = (value["constant"] - value["zero_fill"]) / (value["constant"] - value["ceiling"])
    assert board.scaled and line.cells[column].key == pytest.approx(share)
    assert not any(cell and cell.leads for line in board.lines if line.is_bound for cell in line.cells)
    keys = [line.cells[board.sorted_by].key for line in board.lines if line.cells[board.sorted_by]]
    assert keys == sorted(keys, reverse=True)


def test_a_page_of_one_seed_says_so(made, tmp_path):
    """Without any interval nothing breaks, and no verdict is invented."""
    inputs, _ = made
    study = inputs.study
    folder = tmp_path / "results"
    (folder / "tables").mkdir(parents=True)
    bare = pl.read_parquet(inputs.evaluation / "summary.parquet").with_columns(low=pl.lit(None), high=pl.lit(None))
    bare.with_columns(pl.col("low", "high").cast(pl.Float64)).write_parquet(folder / "summary.parquet")
    pairs = pl.read_parquet(inputs.evaluation / "pairs.parquet")
    nulls = [pl.lit(None, pl.Float64).alias(name) for name in ("low", "high", "p", "p_equivalent", "detectable")]
    pairs.with_columns(*nulls, verdict=pl.lit("too little data")).write_parquet(folder / "pairs.parquet")
    results = Published(folder, "study", study, Dataset(inputs).metrics)
    lines = readout(results, View("matched", "vision", results.primary), 0.5, "trml")
    assert {line.verdict for line in lines if line.method not in ("", "trml")} <= {"too little data"}
    assert not any(line.decided or line.low_high for line in lines)
    assert leaderboard(results).lines


def test_json_of_claims_is_what_the_forest_shows(page, made):
    for claim in read_json(made[1] / "claims.json"):
        part = re.search(rf'<article class="forest" id="claim-{claim["id"]}">(.*?)</article>', page, re.DOTALL)[1]
        words = text_of(part)
        for c in claim["comparisons"]:
            assert numbers.signed(c["effect"]) in words and c["verdict"] in words
