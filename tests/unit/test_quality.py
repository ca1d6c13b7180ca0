"""What a reader should know of results first, and what is not published."""

from dataclasses import replace

import polars as pl
import pytest

from helpers.synthetic_report import ABOUT, report_inputs
from trml.base.artifacts import read_json, write_json
from trml.base.errors import StoreError
from trml.evaluation.contract import Searched
from trml.report.dataset import Dataset
from trml.report.publish import publish
from trml.report.quality import faults


def said(inputs):
    return {fault.words: fault.severity for fault in faults(Dataset(inputs))}


@pytest.fixture
def inputs(tmp_path):
    return report_inputs(tmp_path / "made", reason="no probes")


def test_few_groups_and_seeds_are_said(inputs):
    words = said(inputs)
    assert words["The test utterances are of 4 groups: nothing is tested on fewer than 10."] == 2
    assert words["2 seeds: nothing is tested with fewer than 3."] == 1


@pytest.mark.parametrize(("failed", "severity"), [(1, 1), (3, 2), (9, 3)])
def test_many_failed_trainings_are_worse_than_few(inputs, failed, severity):
    cells = [{"digest": str(i), "failed": "nan" if i < failed else None} for i in range(40)]
    write_json(inputs.evaluation / "cells.json", cells)
    assert said(inputs)[f"{failed} of 40 trainings failed ({failed / 40:.0%})."] == severity


@pytest.mark.parametrize(("value", "leaked"), [(0.1, True), (0.45, False)])
def test_far_better_than_the_exact_ceiling_is_a_leak(inputs, value, leaked):
    path = inputs.evaluation / "summary.parquet"
    rows = pl.read_parquet(path)
    moved = {"ceiling": 0.5, "zero_fill": value}
    for name, score in moved.items():
        here = (pl.col("method") == name) & (pl.col("metric") == "mae")
        ends = {"value": score, "low": score - 0.05, "high": score + 0.05}
        rows = rows.with_columns(
            **{end: pl.when(here).then(pl.lit(x)).otherwise(end).alias(end) for end, x in ends.items()}
        )
    others = rows.filter(pl.col("method").is_in(["ceiling", "zero_fill"]))
    others.write_parquet(path)
    words = [w for w, severity in said(inputs).items() if severity == 3]
    assert any("Zero fill is better than the exact ceiling, which cannot be" in w for w in words) is leaked


def test_a_choice_at_the_end_of_its_range_is_said(inputs):
    searched = {"trml": Searched(8, 0.5, 0.6, {"temperature": 1.0, "weight": 0.0, "beta": 0.3})}
    search = {"temperature": [0.1, 1.0], "weight": [0.0, 0.1], "beta": [0.1, 0.3, 1.0]}
    params = {**ABOUT["params"], "methods": {"trml": {"search": search}}}
    words = said(replace(inputs, searched=searched, params=params))
    assert words["The search on dev chose the end of a range, which may be a natural bound: trml.temperature = 1."] == 1


def test_broken_results_are_not_published(tmp_path):
    finished = tmp_path / "work/x"
    finished.mkdir(parents=True)
    (finished / "metrics.csv").write_text("1")
    manifest = {"digest": "x", "files": {}, "quality": [{"severity": 3, "words": "Labels leaked."}]}
    write_json(finished / "manifest.json", manifest)
    with pytest.raises(StoreError, match=r"work/x is not published: Labels leaked\. Its page is .*index\.html\. Mend"):
        publish("x", finished, [], tmp_path / "results/x")
    assert not (tmp_path / "results").exists()
    write_json(finished / "manifest.json", {**manifest, "quality": [{"severity": 2, "words": "Few groups."}]})
    publish("x", finished, [], tmp_path / "results/x")
    assert read_json(tmp_path / "results/x/manifest.json")["digest"] == "x"


def test_groups_are_counted_where_no_claim_is_judged(inputs):
    write_json(inputs.evaluation / "claims.json", [])
    assert "The test utterances are of 4 groups: nothing is tested on fewer than 10." in said(inputs)


def test_a_method_of_one_modality_has_no_score_on_complete_data(inputs):
    path = inputs.evaluation / "pairs.parquet"
    rows = pl.read_parquet(path).with_columns(rate=0.0, verdict=pl.lit("worse"))
    rows.write_parquet(path)
    (words,) = [w for w in said(inputs) if "no better than the constant" in w]
    assert words == "On complete data no better than the constant predictor: TRML, Zero fill, Supervised-Double."
