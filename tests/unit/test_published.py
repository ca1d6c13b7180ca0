"""Committed files agree: results with source and configuration, README with results."""

import re

import polars as pl
import pytest
import yaml

from conftest import ROOT
from trml.base.artifacts import read_json
from trml.config.compose import compose
from trml.config.load import check
from trml.planning.plan import plans
from trml.report.publish import is_published

EXPERIMENT = "pantomime_full"
RESULTS = ROOT / "results" / EXPERIMENT
FINDINGS = (ROOT / "docs/findings.md").read_text()
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def summary():
    return pl.read_csv(RESULTS / "tables/main.csv")


# The sentence that README.md must hold while the committed results are of another source or configuration.
OLDER = "The committed results are of an earlier version"


def test_committed_results_are_of_this_source_or_said_to_be_of_an_earlier_one():
    raw = yaml.safe_load(compose([f"experiment={EXPERIMENT}", "device=cpu"], ROOT / "config"))
    own = plans(check(raw))[0]
    assert own.results is not None
    words = " ".join(README.split())
    if is_published(own.results.name, RESULTS):
        assert OLDER not in words, "the results are of this version: README.md must not say otherwise"
    else:
        again = f"run `make results EXPERIMENT={EXPERIMENT}` on a CPU and commit results/"
        assert OLDER in words, f"{again}; until then README.md must say: {OLDER}"


def test_every_table_row_of_the_readme_stands_in_the_results():
    table = (RESULTS / "tables/main.md").read_text()
    rows = [line for line in FINDINGS.splitlines() if re.search(r"\| \**\d\.\d{3} \[", line)]
    assert len(rows) >= 6
    for row in rows:
        assert row in table


def test_verdicts_in_the_findings_are_the_published_ones():
    rows = [line for line in (RESULTS / "tables/verdicts.md").read_text().splitlines() if line.startswith("| C")]
    assert len(rows) >= 7
    for row in rows:
        assert row in FINDINGS


@pytest.fixture(scope="module")
def decided():
    """Every claim, by regime and id."""
    files = {"": "claims.json", **{name: f"claims_{name}.json" for name in ("untold", "unseen", "few_labels")}}
    return {(regime, c["id"]): c for regime, file in files.items() for c in read_json(RESULTS / file)}


def verdicts_of(claim):
    verdicts = [comparison["verdict"] for comparison in claim["comparisons"]]
    return {verdict: verdicts.count(verdict) for verdict in ("better", "worse", "equivalent", "undecided")}


def test_sizes_in_the_findings_are_those_of_the_study(decided):
    words, claim = " ".join(FINDINGS.split()), decided["", "C1"]
    page = (RESULTS / "report/index.html").read_text()
    trainings = re.findall(r"([0-9,]+) trainings", page)[0].replace(",", "")
    assert f"{int(trainings):,} trainings" in words
    assert (
        f"{claim['utterances']:,} test utterances of {claim['groups']} speakers, with {claim['seeds']} seeds" in words
    )
    assert f"the margin, {claim['comparisons'][0]['margin']:.3f}" in words


def test_the_counts_in_the_findings_are_the_verdicts(decided):
    words = " ".join(FINDINGS.split())
    of = {key: verdicts_of(claim) for key, claim in decided.items()}
    for key, sentence in COUNTED.items():
        assert sentence.format(n=sum(of[key].values()), **of[key]) in words, key


# What docs/findings.md says of how many comparisons: regime and claim -> its words.
COUNTED = {
    ("", "C1"): "{equivalent} of {n} comparisons with baselines on the utterances that lack a modality are equivalent",
    ("", "C2"): "In {equivalent} of {n} comparisons it is within the margin of its upper bound",
    ("untold", "C1"): "TRML is worse than every baseline: {worse} of {n} comparisons",
    ("untold", "C6"): "The temperature matters there: {better} of {n} comparisons",
    ("unseen", "C1b"): "it is worse in {worse} of {n} comparisons",
    ("few_labels", "C1"): "of {n} comparisons {better} are better, {worse} are worse and {undecided} undecided",
    ("", "C7"): "{equivalent} of {n} comparisons with a turned space are equivalent, and {undecided} are undecided",
}


def test_what_the_findings_say_without_a_count_holds(decided):
    """All that is said of no term, choice or temperature, of two models, partners and frames."""
    studied = [verdicts_of(decided["", name]) for name in ("C3", "C3b", "C6")]
    assert sum(each["better"] for each in studied) == 0
    assert f"all {sum(sum(each.values()) for each in studied)} comparisons are equivalent" in " ".join(FINDINGS.split())
    better = [c for c in decided["", "C1"]["comparisons"] if c["verdict"] == "better"]
    assert {(c["against"], c["victim"]) for c in better} == {("modal_trans", "vision"), ("mm_align", "vision")}
    effects = [c["effect"] for c in better]
    assert f"TRML is better, by {min(effects):.3f} to {max(effects):.3f}" in " ".join(FINDINGS.split())
    assert decided["", "C4"]["verdict"] == "supported"
    assert decided["", "C5"]["verdict"] == "refuted"
    of_few = {(c["against"], c["victim"]): c["verdict"] for c in decided["few_labels", "C1"]["comparisons"]}
    assert {key for key, verdict in of_few.items() if verdict == "worse"} == {
        ("mfm", "vision"),
        ("supervised_single_matched", "vision"),
    }
    assert {key for key, verdict in of_few.items() if verdict == "better"} == {
        ("modal_trans", "vision"),
        ("mm_align", "vision"),
    }
    regression = {c["victim"]: c["verdict"] for c in decided["few_labels", "C3b"]["comparisons"]}
    assert regression == {"vision": "worse", "text": "equivalent"}


def test_what_the_findings_say_of_wrong_modalities_weights_and_conventions_holds():
    def table(name):
        return pl.read_csv(RESULTS / f"tables/{name}.csv", infer_schema_length=None)

    words = " ".join(FINDINGS.split())
    wrong = table("corruption_vision").filter(method="trml", trained="none")
    of = {(row["corruption"], row["level"]): f"{row['value']:.3f}" for row in wrong.iter_rows(named=True)}
    assert f"(MAE {of['wrong', 1.0]}) than without vision ({of['absent', 0.0]})" in words
    trusted = table("calibration").filter(method="trml", trained="none", present="text")
    cover = dict(trusted.select("calibrated_on", "value").iter_rows())
    assert f"hold {cover['text+vision']:.0%} of the labels" in words
    assert f"on dev without vision, {cover['text']:.0%}" in words
    weighted = dict(table("axes")["against_unweighted"].drop_nulls().value_counts().iter_rows())
    assert weighted.keys() == {"equivalent", "undecided"}
    said = f"{weighted['equivalent']} of {sum(weighted.values())} comparisons of training with and without"
    assert said in words and f"and {weighted['undecided']} is undecided" in words
    best = table("conventions").filter(convention="the best seed and epoch on test, of each metric", metric="mae")
    assert f"{best['gain'].min():.3f} to {best['gain'].max():.3f} in MAE" in words


def regime_rows():
    """The rows of the findings' table on regimes, worked out from the tables of the results: method -> its cells."""

    def primary(name):
        return pl.read_csv(RESULTS / f"tables/{name}.csv", infer_schema_length=None).filter(pl.col("metric") == "mae")

    untold = primary("main_untold").filter(pl.col("rate") == 1)
    unseen = primary("matrix_unseen").filter(pl.col("rate") == 0.5)
    moved = primary("study_trml_untold").filter(pl.col("rate") == 1, pl.col("variant") != "default")
    cells = {}
    for column, rows, key in (
        (0, untold.filter(victim="vision"), "method"),
        (1, untold.filter(victim="text"), "method"),
        (0, moved.filter(victim="vision"), "variant"),
        (1, moved.filter(victim="text"), "variant"),
        (2, unseen.filter(victim="text", present="text"), "method"),
        (3, unseen.filter(victim="vision", present="vision"), "method"),
    ):
        for row in rows.iter_rows(named=True):
            cells.setdefault(row[key], {})[column] = f"{row['value']:.3f}"
    return {name: [found.get(column, "") for column in range(4)] for name, found in cells.items()}


def test_the_table_of_regimes_in_the_findings_is_that_of_the_results():
    rows = regime_rows()
    for name, label in REGIME_ROWS.items():
        assert f"| {label} | {' | '.join(rows[name])} |" in FINDINGS, name


# The rows of that table: method or variant of TRML -> its label.
REGIME_ROWS = {
    "ceiling": "Ceiling (exact)",
    "trml": "TRML",
    "no_l_sml": "TRML without its matching loss",
    "regression": "TRML, matching by regression",
    "masked_views": "TRML with masked views",
    "supervised_single": "Supervised-Single",
    "zero_fill": "Zero fill",
    "mfm": "MFM",
    "smil": "SMIL",
    "modal_trans": "Modal-Trans",
    "mm_align": "MM-Align",
    "constant": "Constant predictor",
}


def test_what_the_readme_says_of_the_findings_holds(decided):
    words = " ".join(README.split())
    of, claim = {key: verdicts_of(found) for key, found in decided.items()}, decided["", "C1"]
    sizes = f"{claim['utterances']:,} test utterances of {claim['groups']} speakers and {claim['seeds']} seeds"
    assert sizes in words
    own = of["", "C1"]
    said = f"{own['equivalent']} of {sum(own.values())} comparisons with baselines are equivalent"
    assert f"{said}, {own['better']} are better" in words
    for name in ("C3", "C6"):
        assert of["", name]["equivalent"] == sum(of["", name].values())
    worse = of["untold", "C1"]
    assert f"in {worse['worse']} of {sum(worse.values())} comparisons" in words
    trml, regression, mfm = (regime_rows()[name][0] for name in ("trml", "regression", "mfm"))
    assert f"its MAE is {trml}, and {regression} with a regression in place of that loss (MFM: {mfm})" in words
    assert decided["", "C4"]["verdict"] == "supported"


def test_no_method_beats_the_ceiling_beyond_its_interval():
    every = pl.concat(
        pl.read_csv(RESULTS / f"tables/{name}.csv", infer_schema_length=None) for name in ("main", "settings")
    )
    ceiling = every.filter(pl.col("method") == "ceiling").unique(("victim", "rate", "metric"))
    ceiling = ceiling.select("victim", "rate", "metric", best="value")
    scores = every.filter(pl.col("low").is_not_null()).join(ceiling, on=["victim", "rate", "metric"])
    assert scores.height > 200
    lower = pl.col("metric") == "mae"
    beats = scores.filter((lower & (pl.col("high") < pl.col("best"))) | (~lower & (pl.col("low") > pl.col("best"))))
    assert beats.is_empty(), beats


def test_the_upper_bound_closes_most_of_the_gap_to_the_ceiling(summary):
    at = {
        r["method"]: r["value"]
        for r in summary.filter(pl.col("metric") == "mae", pl.col("rate") == 0).iter_rows(named=True)
    }
    assert (at["constant"] - at["supervised_double"]) / (at["constant"] - at["ceiling"]) >= 0.8
