"""What a published result says, and the verbs that look something up: in words and as JSON."""

import json
import re
import shutil

import polars as pl
import pytest

from conftest import ROOT
from helpers.command import ended
from trml.base.artifacts import read_json, write_json
from trml.cli.output import aligned, clock, document, left
from trml.cli.schemas import KINDS, checked, json_schema_of
from trml.report.published import Published
from trml.report.show import show
from trml.report.trace import trace

RESULT = Published(ROOT / "results/pantomime_full")


def test_findings_are_those_of_the_page_in_characters_that_any_terminal_has():
    found = read_json(RESULT.folder / "findings.json")
    assert 0 < len(found) <= 3
    page = (RESULT.folder / "report/index.html").read_text()
    for each, words in zip(found, show(RESULT).findings, strict=True):
        assert each["headline"] in page and words.startswith(each["headline"])
        assert words.isascii() and re.search(r"\d", words)
        name, _, address = each["address"].partition(":")
        assert name == RESULT.name and trace(RESULT.folder, address).address


def test_every_claim_of_every_dataset_is_counted():
    shown = show(RESULT)
    claims = {(claim["id"], claim["dataset"]): claim for claim in shown.claims}
    for dataset in RESULT.datasets:
        for claim in RESULT.claims(dataset):
            found = claims.pop((claim["id"], dataset))
            assert found["verdict"] == claim["verdict"]
            assert found["supporting"] + found["refuting"] + found["undecided"] == len(claim["comparisons"])
    assert not claims


def test_a_table_is_shown_by_method_and_condition():
    shown = show(RESULT, "main", ["trml", "zero_fill"], "vision@0.5")
    assert {(row["method"], row["victim"], row["rate"]) for row in shown.rows} == {
        ("trml", "vision", 0.5),
        ("zero_fill", "vision", 0.5),
    }
    complete = show(RESULT, "main", ["trml"], "complete").rows
    assert {row["rate"] for row in complete} == {0.0}
    assert [row["metric"] for row in complete] == ["mae"]
    every = show(RESULT, "main", ["trml"], "complete", "all").rows
    assert len(every) == len({row["metric"] for row in every}) > 1
    assert [row["metric"] for row in show(RESULT, "main", ["trml"], "complete", "corr").rows] == ["corr"]
    assert {row["rate"] for row in show(RESULT, "main", ["trml"], "vision").rows} >= {0.5, 0.9, 1.0}


def test_of_several_methods_the_pairs_among_them_are_shown():
    two = show(RESULT, "pairs", ["trml", "zero_fill"]).rows
    assert {frozenset((row["first"], row["second"])) for row in two} == {frozenset(("trml", "zero_fill"))}
    single = show(RESULT, "pairs", ["zero_fill"]).rows
    assert all("zero_fill" in (row["first"], row["second"]) for row in single) and len(single) > len(two)


def test_the_rows_of_a_claim_are_those_of_its_table(capsys):
    claim = read_json(ROOT / "results/pantomime_full/claims.json")[0]
    words = ended(capsys, "show", ROOT / "results/pantomime_full", "C1").out
    assert words.startswith(f"C1 {claim['verdict']}: {claim['text']}")
    row = claim["comparisons"][0]
    assert f"{row['effect']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]" in words


@pytest.mark.parametrize(
    "words",
    [
        "show",
        "show main --method trml --condition text@0.5",
        "show C2",
        "trace pantomime_full:main/trml/vision@0.5",
        "trace pantomime_full:0.434",
        "methods",
        "methods trml",
        "corpora",
        "corpora mvsa_single",
        "encoders",
        "encoders tiny_clip_own",
        "experiments",
        "experiments pantomime_full",
        "cite",
        "compose --keys training",
        "status",
        "status --folders",
        "run --dry-run",
        "gc --dry-run",
        "fetch --dry-run",
        "status --by day",
    ],
)
def test_json_is_one_document_of_its_schema(words, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, out, _ = ended(capsys, *words.split(), "--json")
    document = json.loads(out)
    checked(document)
    assert code == document.get("code", 0)
    assert "\x1b" not in out


def test_every_kind_has_a_schema_that_names_it(capsys):
    for kind in KINDS:
        assert json_schema_of(kind)["properties"]["kind"] == {"const": kind}
    assert json.loads(ended(capsys, "schema", "compare").out) == json_schema_of("compare")


def test_terms_and_selected_values_are_told(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert "need no acceptance" in ended(capsys, "corpora", "mvsa_single").out
    detail = json.loads(ended(capsys, "methods", "trml", "--json").out)["detail"]
    assert detail["selected"]["pantomime-tiny_clip"]["temperature"] == 1.0
    assert (detail["options"]["temperature"], detail["options"]["hidden"]) == (0.07, 64)
    assert detail["cost"]["parameters"] == 66817


def test_numbers_that_json_lacks_are_null():
    made = document("x", {"a": float("inf"), "b": [float("nan"), 0.1], "c": {"d": float("-inf")}})
    assert (made["a"], made["b"], made["c"]) == (None, [None, 0.1], {"d": None})


def test_tables_are_aligned_and_times_short():
    assert aligned([("a", 1), ("bcd", 22)], ("x", "y"), right=(1,)) == ["x     y", "a     1", "bcd  22"]
    assert (clock(61.4), clock(3725)) == ("1:01", "1:02:05")
    assert [left(each) for each in (None, 20.2, 600, 9000)] == [
        *("", "about 20 s left"),
        *("about 10 min left", "about 2.5 h left"),
    ]


@pytest.mark.parametrize(
    "words", [("trace", "{}:C1/zero_fill/vision@0.5"), ("compare", "{}", "{}")], ids=["trace", "compare"]
)
def test_a_configuration_of_somebody_else_with_a_key_twice_is_refused(tmp_path, capsys, words):
    """Published results may come from anywhere."""
    brought = tmp_path / "brought"
    shutil.copytree(RESULT.folder, brought, ignore=shutil.ignore_patterns("figures", "predictions", "report"))
    (brought / "params.yaml").write_text("methods: {}\nmethods: {}\n")
    code, _, err = ended(capsys, *(word.format(brought) for word in words))
    assert code != 0
    assert f"{brought}/params.yaml" in err and "methods" in err


@pytest.mark.parametrize("words", [(), ("main",)])
def test_no_character_of_foreign_results_is_obeyed_by_a_terminal(tmp_path, capsys, words):
    clear = "\x1b[2J"
    (tmp_path / "tables").mkdir()
    write_json(tmp_path / "manifest.json", {"experiment": f"evil{clear}"})
    write_json(tmp_path / "findings.json", [{"headline": clear, "body": f"1{clear}"}])
    claim = {"id": f"C1{clear}", "text": f"a\n{clear}", "how": "", "verdict": clear, "comparisons": []}
    write_json(tmp_path / "claims.json", [claim])
    pl.DataFrame({f"method{clear}": [f"a{clear}\nb"], "metric": "mae"}).write_csv(tmp_path / "tables/main.csv")
    said = ended(capsys, "show", tmp_path, *words)
    assert said.code == 0
    assert "\x1b" not in said.out + said.err and r"\x1b[2J" in said.out
