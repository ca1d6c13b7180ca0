"""What differs between two results: the committed one against smaller and altered copies of it."""

import csv
import json
import re
import shutil
from dataclasses import replace
from statistics import mean

import polars as pl
import pytest
import yaml

from conftest import ROOT
from helpers.command import ended
from trml.base.artifacts import read_json, write_json
from trml.cli.schemas import checked
from trml.report.compare import compare
from trml.report.page.comparison import _rows, comparison_page, shared_means
from trml.report.published import Published

RESULT = ROOT / "results/pantomime_full"
SEEDS = [2020, 2021, 2022]


def copied(folder):
    """The parts of the committed result that are compared, of its own dataset."""
    folder.mkdir()
    for name in ("manifest.json", "params.yaml", "claims.json", "metrics.csv"):
        shutil.copyfile(RESULT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return copied(tmp_path_factory.mktemp("whole") / "whole")


@pytest.fixture(scope="module")
def smaller(tmp_path_factory, whole):
    """The same with three of its seeds, where one claim has another verdict."""
    folder = copied(tmp_path_factory.mktemp("smaller") / "smaller")
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["protocol"]["seeds"] = SEEDS
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    rows = pl.read_csv(folder / "metrics.csv", infer_schema=False)
    rows.filter(pl.col("seed").is_in([str(seed) for seed in SEEDS])).write_csv(folder / "metrics.csv")
    claims = read_json(folder / "claims.json")
    claims[0]["verdict"] = "undecided"
    for key in ("effect", "low", "high"):
        claims[0]["comparisons"][0][key] += 0.25
    claims[0]["comparisons"].pop()
    write_json(folder / "claims.json", claims)
    return folder


def test_a_result_is_the_same_as_itself(whole):
    found = compare(Published(whole), Published(whole))
    rows = len((whole / "metrics.csv").read_text().splitlines()) - 1
    assert found.scores == {"shared": rows, "identical": rows, "only_a": 0, "only_b": 0, "largest": None}
    assert (found.settings, found.changed, found.cause.words) == ([], [], "")
    assert {claim["largest_change"] for claim in found.claims} == {0.0}


def test_fewer_seeds_are_found_as_the_cause_where_shared_scores_agree(smaller, whole):
    found = compare(Published(smaller), Published(whole))
    every = pl.read_csv(whole / "metrics.csv", infer_schema=False)
    kept = every.filter(pl.col("seed").is_in([str(seed) for seed in SEEDS])).height
    assert found.scores["shared"] == found.scores["identical"] == kept
    assert (found.scores["only_a"], found.scores["only_b"]) == (0, every.height - kept)
    assert [each["key"] for each in found.settings] == ["protocol.seeds"]
    assert (found.a.seeds, found.b.seeds) == (3, 5)
    assert found.b.trainings == every["cell"].n_unique() > found.a.trainings
    assert (found.changed, found.cause.settings) == (["C1"], ["protocol.seeds"])
    claim = next(each for each in found.claims if each["id"] == "C1")
    comparisons = read_json(whole / "claims.json")[0]["comparisons"]
    assert claim["shared"] == len(comparisons) - 1
    assert claim["largest_change"] == pytest.approx(0.25)
    sign = comparisons[0]["effect"] * (comparisons[0]["effect"] + 0.25) < 0
    assert (claim["changed_sign"], claim["outside_interval"]) == (int(sign), 1)


def test_a_score_that_moved_leads_to_its_stage_and_settings(whole, tmp_path):
    other = copied(tmp_path / "other")
    rows = pl.read_csv(other / "metrics.csv", infer_schema=False)
    moved = rows.with_columns(value=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("9.5")).otherwise(pl.col("value")))
    moved.write_csv(other / "metrics.csv")
    source = compare(Published(whole), Published(other))
    assert (source.cause.stage, source.cause.settings) == ("training", [])
    assert source.scores["shared"] - source.scores["identical"] == 1
    row = rows.row(7, named=True)
    assert source.scores["largest"]["address"].startswith(f"{row['method']}/{row['condition']}/{row['metric']}")
    assert source.scores["largest"]["b"] == 9.5
    params = yaml.safe_load((other / "params.yaml").read_text())
    params["encoder"]["frames"] = 4
    (other / "params.yaml").write_text(yaml.safe_dump(params))
    manifest = read_json(other / "manifest.json")
    manifest["made_from"]["features"] = "pantomime-tiny_clip-0123456789ab"
    write_json(other / "manifest.json", manifest)
    features = compare(Published(whole), Published(other))
    assert (features.cause.stage, features.cause.settings) == ("features", ["encoder.frames"])


def test_a_method_that_one_lacks_is_one_setting(whole, tmp_path):
    other = copied(tmp_path / "other")
    params = yaml.safe_load((other / "params.yaml").read_text())
    lost = params["methods"].pop("mfm")
    params["methods"]["smil"]["label"] = "S"
    (other / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    found = {each["key"]: (each["a"], each["b"]) for each in compare(Published(whole), Published(other)).settings}
    assert found == {"methods.mfm": (lost, None), "methods.smil.label": ("SMIL", "S")}


def test_the_verb_says_it_in_words_and_as_json(smaller, whole, capsys):
    words = ended(capsys, "compare", smaller, whole).out
    assert "Same corpus, encoder and features. All " in words and "shared scores are identical." in words
    assert "C1 changed. Shared scores agree, so what is compared differs: protocol.seeds." in words
    assert "Refuted in both: C3, C3b, C5, C6, C7, C7b." in words
    document = json.loads(ended(capsys, "compare", smaller, whole, "--json").out)
    checked(document)
    assert document["settings"] == [{"key": "protocol.seeds", "a": SEEDS, "b": [*SEEDS, 2023, 2024]}]


def test_the_page_has_every_mean_that_both_have(smaller, whole):
    means = shared_means(Published(smaller), Published(whole))
    row = means.filter(method="trml", condition="vision@0.5", metric="mae", train_rate=0.5).row(0, named=True)
    with (whole / "metrics.csv").open() as file:
        values = {
            int(each["seed"]): float(each["value"])
            for each in csv.DictReader(file)
            if (each["method"], each["variant"], each["condition"]) == ("trml", "default", "vision@0.5")
            and (each["metric"], each["train_victim"], each["train_rate"]) == ("mae", "vision", "0.5")
            and each["dev_rate"] == "0.5"
        }
    few = mean(values[seed] for seed in SEEDS)
    assert (row["seeds_a"], row["seeds_b"]) == (3, len(values))
    assert (row["value_a"], row["value_b"]) == pytest.approx((few, mean(values.values())))
    assert row["change"] == pytest.approx(mean(values.values()) - few)
    of_first = means.filter(metric=means["metric"][0])["change"].abs().to_list()
    assert of_first == sorted(of_first, reverse=True) and of_first[0] > 0


def test_no_two_rows_of_the_page_read_alike(smaller, whole):
    """A method that is shaped by what is missing has a training for each pattern, with nothing missing too."""
    rows = list(_rows(shared_means(Published(smaller), Published(whole))))
    read = [tuple(row[key] for key in ("method", "condition", "training", "metric")) for row in rows]
    assert len(set(read)) == len(read)
    trained = {row["training"] for row in rows}
    assert {"complete", "vision@0.5", "complete, for vision missing"} <= trained


def test_claims_that_are_the_same_are_counted_in_one_line(smaller, whole, capsys):
    words = ended(capsys, "compare", whole, whole).out
    assert re.search(r"^The same verdict and effects in both: (\d+) of \1 claims\.$", words, re.MULTILINE)
    assert "largest change" not in words
    assert "C1 " in ended(capsys, "compare", smaller, whole).out


def test_without_verdicts_none_is_said_to_stand(whole):
    same = compare(Published(whole), Published(whole))
    little = [{**claim, "a": "too little data", "b": "too little data"} for claim in same.claims]
    assert replace(same, claims=little).conclusion == "Neither has a verdict: too little data."


def test_the_page_shows_both_and_escapes_their_names(smaller, whole, capsys, tmp_path):
    page = tmp_path / "side/by/side.html"
    assert ended(capsys, "compare", smaller, whole, "--page", page).out.endswith(f"Page: {page}\n")
    text = page.read_text()
    assert "protocol.seeds" in text and "[2020, 2021, 2022]" in text
    assert "refuted" in text and "undecided → refuted" in text
    assert text.count("<figure") >= 10 and "default-src &#39;none&#39;" in text
    results = Published(smaller), Published(whole)
    text = comparison_page(compare(*results), *results, ("<script>x</script>", "b"))
    assert "<script>x" not in text and "&lt;script&gt;x" in text


def test_results_that_are_absent_are_named(capsys, whole):
    code, _, err = ended(capsys, "compare", whole, "nowhere")
    assert (code, "there are no results nowhere" in err) == (3, True)
