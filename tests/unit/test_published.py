"""Committed files agree: results with source and configuration, README with results, pins with the lock."""

import re
import tomllib

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
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def summary():
    return pl.read_csv(RESULTS / "tables/main.csv")


def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


# The sentence that README.md must hold while the committed results are of another source or configuration.
OLDER = "The committed results are of an earlier version"


@pytest.mark.parametrize("experiment", [EXPERIMENT, "untold"])
def test_committed_results_are_of_this_source_or_said_to_be_of_an_earlier_one(experiment):
    raw = yaml.safe_load(compose([f"experiment={experiment}", "device=cpu"], ROOT / "config"))
    own = plans(check(raw))[0]
    assert own.results is not None
    words = " ".join(README.split())
    if is_published(own.results.name, ROOT / "results" / experiment):
        assert OLDER not in words, "the results are of this version: README.md must not say otherwise"
    else:
        again = f"run `make results EXPERIMENT={experiment}` on a CPU and commit results/"
        assert OLDER in words, f"{again}; until then README.md must say: {OLDER}"


def test_every_table_row_of_the_readme_stands_in_the_results():
    table = (RESULTS / "tables/main.md").read_text()
    rows = [line for line in README.splitlines() if re.search(r"\| \**\d\.\d{3}", line)]
    assert len(rows) >= 6
    for row in rows:
        assert row in table


def test_claims_in_the_readme_are_the_decided_ones():
    for claim in read_json(RESULTS / "claims.json"):
        assert f"| {claim['id']}: {claim['text']} | **{claim['verdict']}**" in README


def test_the_sentences_of_the_readme_are_the_findings():
    claims = {claim["id"]: claim for claim in read_json(RESULTS / "claims.json")}

    def counts(*names):
        verdicts = [c["verdict"] for name in names for c in claims[name]["comparisons"]]
        return len(verdicts), {verdict: verdicts.count(verdict) for verdict in set(verdicts)}

    n, c1 = counts("C1")
    n_of_design, of_design = counts("C3", "C3b", "C6")
    margin = claims["C1"]["comparisons"][0]["margin"]
    words = " ".join(README.split())
    assert set(c1) == {"equivalent", "undecided"}
    assert f"Of {n} comparisons on the utterances that lack one, {c1['equivalent']} are equivalent" in words
    assert f"(a difference of less than {margin:.3f}) and {c1['undecided']} undecided" in words
    assert of_design == {"equivalent": n_of_design}
    assert f"matters by more than {margin:.3f}: all {n_of_design} comparisons are equivalent" in words
    assert {c["verdict"] for c in claims["C4"]["comparisons"]} == {"better"}
    assert {c["verdict"] for c in claims["C2"]["comparisons"] if c["rate"] == 1} == {"equivalent"}
    assert {c["verdict"] for c in claims["C2"]["comparisons"] if c["rate"] < 1} == {"worse", "undecided"}
    worse = sorted(c["rate"] for c in claims["C5"]["comparisons"] if c["verdict"] == "worse")
    assert worse == [0.3, 0.5, 0.7, 0.9]
    assert "from 30 % on it loses more than it may" in words
    for experiment in (EXPERIMENT, "untold"):
        page = (ROOT / "results" / experiment / "report/index.html").read_text()
        assert f"{int(re.findall(r'([0-9]+) trainings', page)[0]):,}" in words
    assert f"pantomime's {claims['C1']['groups']} test speakers, with {claims['C1']['seeds']} seeds" in words


def test_the_sentences_on_what_is_untold_are_the_findings():
    words = " ".join(README.split())
    tables = ROOT / "results/untold/tables"
    main = pl.read_csv(tables / "main.csv").filter(pl.col("metric") == "mae", pl.col("rate") == 1)
    error = {(r["victim"], r["method"]): f"{r['value']:.3f}" for r in main.iter_rows(named=True)}
    assert f"The best possible error is {error['vision', 'ceiling']}." in words
    assert f"has {error['vision', 'mfm']}, a model of the text alone {error['vision', 'supervised_single']}," in words
    assert f"TRML {error['vision', 'trml']}, and zeros in place of vision {error['vision', 'zero_fill']}" in words
    study = pl.read_csv(tables / "study_trml.csv").filter(pl.col("metric") == "mae", pl.col("victim") == "vision")
    moved = dict(study.select("variant", "value").iter_rows())
    assert f"matching loss is worth {moved['no_l_sml'] - moved['default']:.3f} there" in words
    at = [f"{moved[f'temperature={value}']:.3f}" for value in ("0.07", "0.3", "1.0")]
    assert f"{at[0]} at 0.07, {at[1]} at 0.3 and {at[2]} at 1." in words
    assert f"beats a model of the video alone ({error['text', 'supervised_single']})" in words
    methods = [error["text", m] for m in ("trml", "mfm", "smil", "zero_fill", "mm_align", "modal_trans", "mean_fill")]
    assert min(methods) > error["text", "supervised_single"]


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


def pip_section(path: str) -> list[str]:
    (pins,) = [d["pip"] for d in yaml.safe_load((ROOT / path).read_text())["dependencies"] if isinstance(d, dict)]
    return pins


def test_the_conda_environment_of_rules_has_the_pins_of_the_lock():
    assert dict(pin.split("==") for pin in pip_section("workflow/envs/trml.yaml")) == lock()


def test_the_conda_environment_installs_the_lock():
    assert pip_section("environment.yml") == ["-r requirements.lock", "-e ."]


def test_direct_dependencies_are_pinned_as_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {name.lower().replace("_", "-"): version for name, version in lock().items()}
    for pin in project["dependencies"] + project["optional-dependencies"]["dev"]:
        name, version = pin.split("==")
        assert locked[name.lower().replace("_", "-")] == version
