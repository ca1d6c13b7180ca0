"""`trml robustness`: anybody's predictions, scored as a plain computation scores them; faults named by line."""

import datetime
import gzip
import json
import os

import numpy as np
import polars as pl
import pytest

from helpers.command import ended
from trml.base import confined
from trml.base.errors import CommandError, ContractError, DataMissing
from trml.cli.schemas import checked
from trml.evaluation.brought import brought
from trml.evaluation.metrics.regression import metrics
from trml.evaluation.statistics import Groups

CONDITIONS = {"complete": 0.0, "vision@0.5": 0.3, "vision@1": 0.6, "text@1": 0.9}  # condition -> added error
METHODS = {"mine": 0.0, "theirs": 0.25}
N, SEEDS = 60, (1, 2, 3, 4)


def rows(seeds=SEEDS):
    rng = np.random.default_rng(0)
    label = rng.uniform(-2, 2, N).round(3)
    return pl.DataFrame(
        [
            {
                "utterance_id": f"u{i}",
                "label": label[i],
                "prediction": label[i] + rng.normal(0, 0.05) + rng.choice([-1, 1]) * (more + worse),
                "condition": condition,
                "method": method,
                "seed": seed,
                "group": f"g{i // 3}",
            }
            for method, worse in METHODS.items()
            for condition, more in CONDITIONS.items()
            for seed in seeds
            for i in range(N)
        ]
    )


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("brought") / "predictions.csv"
    rows().write_csv(path)
    return path


def test_scores_are_those_of_a_plain_computation(table):
    found, read = brought(table), pl.read_csv(table)
    assert (found.task, found.utterances, found.groups, list(found.seeds)) == ("regression", N, N // 3, list(SEEDS))
    curve = {(row["method"], row["victim"], row["rate"]): row for row in found.curves}
    for method in METHODS:
        for condition in CONDITIONS:
            part = read.filter(pl.col("method") == method, pl.col("condition") == condition)
            error = float((part["prediction"] - part["label"]).abs().mean())
            victim, _, rate = condition.rpartition("@")
            keys = [(method, victim, float(rate))] if victim else [(method, each, 0.0) for each in ("vision", "text")]
            assert [curve[key]["value"] for key in keys] == pytest.approx([error] * len(keys))
    row = curve["mine", "vision", 0.5]
    part = read.filter(pl.col("method") == "mine", pl.col("condition") == "vision@0.5").sort(
        "seed", maintain_order=True
    )
    predictions = part["prediction"].to_numpy().reshape(len(SEEDS), N)
    groups = Groups.named(part["group"].to_numpy()[:N])
    score = groups.scores(metrics("regression", 0)[0], part["label"].to_numpy()[:N], predictions)
    assert (row["low"], row["high"]) == pytest.approx(score.estimate.interval)


def test_robustness_is_the_area_under_the_curve(table):
    found = brought(table, reference="theirs")
    curve = {(row["method"], row["victim"], row["rate"]): row["value"] for row in found.curves}
    measures = {(row["method"], row["victim"], row["measure"]): row["value"] for row in found.robustness}
    own, other = ([curve[method, "vision", rate] for rate in (0.0, 0.5, 1.0)] for method in METHODS)
    area = np.trapezoid(own, [0.0, 0.5, 1.0])
    assert measures["mine", "vision", "relative"] == pytest.approx(area)
    moved = np.array(other) + own[0] - other[0]
    assert measures["mine", "vision", "effective"] == pytest.approx(area - np.trapezoid(moved, [0.0, 0.5, 1.0]))
    assert ("theirs", "vision", "effective") not in measures


def test_differences_are_judged(table):
    found = brought(table, margin=0.1)
    drops = {(row["method"], row["victim"], row["rate"]): row for row in found.drops}
    assert {row["verdict"] for row in drops.values()} == {"worse"}
    assert drops["mine", "text", 1.0]["effect"] == pytest.approx(-0.86, abs=0.03)
    assert {(row["first"], row["second"], row["verdict"]) for row in found.pairs} == {("mine", "theirs", "better")}
    wide = brought(table, margin=0.4)
    assert {row["verdict"] for row in wide.pairs} == {"equivalent"}


def test_few_seeds_have_scores_without_intervals(tmp_path):
    path = tmp_path / "one.parquet"
    rows(seeds=(1,)).drop("seed").write_parquet(path)
    found = brought(path)
    assert {row["low"] for row in found.curves} == {None}
    assert {row["verdict"] for row in (*found.pairs, *found.drops)} == {"too little data"}
    assert found.notes[0] == "1 seeds: intervals and verdicts need at least 3 (column seed)."


def test_classes_are_words_and_count_hits(tmp_path):
    path = tmp_path / "classes.csv"
    names = ["neg", "pos", "neutral"]
    table = [
        {
            "utterance_id": i,
            "label": names[i % 3],
            "prediction": names[i % (3 if i % 4 else 2)],
            "condition": "complete",
        }
        for i in range(24)
    ]
    pl.DataFrame(table).write_csv(path)
    found = brought(path)
    hits = sum(row["label"] == row["prediction"] for row in table)
    assert (found.task, found.classes) == ("classification", sorted(names))
    assert [(row["victim"], row["value"]) for row in found.curves] == [("complete", pytest.approx(hits / 24))]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop("label"), "lacks label; expected the columns"),
        (lambda t: t.rename({"seed": "sead"}), "has unknown 'sead'; did you mean 'seed'?"),
        (lambda t: t.clear(), "it has no rows"),
        (lambda t: t.with_columns(condition=pl.lit("vision=0.5")), "line 2: condition is 'vision=0.5'; expected"),
        (lambda t: t.with_columns(condition=pl.lit("vision@0.0")), "line 2: condition is 'vision@0.0'; expected"),
        (lambda t: t.with_columns(condition=pl.lit(f"vision@0.{'0' * 400}1")), "line 2: condition is 'vision@0.000"),
        (lambda t: pl.concat([t, t[:1]]), "is there twice"),
        (lambda t: t[:-1], "59 utterances; expected all 60, 'u59' too"),
        (lambda t: t.with_columns(label=pl.lit("pos"), prediction=pl.lit("POS")), "is 'POS'; labels say 'pos'"),
        (lambda t: t.with_columns(label=pl.lit("pos")), "line 2: prediction is 0.5"),
        (lambda t: t.with_columns(prediction=pl.lit("pos")), "line 2: prediction is 'pos'; expected a finite number"),
        (lambda t: pl.concat([t, t.with_columns(pl.col("condition").replace("vision@0.5", "vision@0.50"))]), "twice"),
        (lambda t: t.with_columns(prediction=pl.col("prediction") > 0), "prediction is 'true'; expected a finite"),
        (lambda t: t.filter(~((pl.col("method") == "mine") & (pl.col("seed") == 4))), "3 seeds; expected all 4"),
        (
            lambda t: t.with_columns(prediction=pl.when(pl.int_range(pl.len()) == 3).then(float("nan")).otherwise(0.5)),
            "line 5: prediction is 'NaN'; expected a finite number",
        ),
        (
            lambda t: t.with_columns(label=pl.when(pl.int_range(pl.len()) == 3).then(float("nan")).otherwise(0.5)),
            "line 5: label is 'NaN'; expected a finite number, as in other rows",
        ),
        (
            lambda t: t.with_columns(label=1e200),
            "line 2: label is 1e+200; expected a finite number, at most 1e+30 from 0",
        ),
        (lambda t: t.with_columns(prediction=-2e30), "line 2: prediction is -2e+30; expected a finite number, at most"),
        (lambda t: t.with_columns(seed=pl.col("seed") + 0.5), "line 2: seed is 1.5; expected a whole number"),
        (lambda t: t.with_columns(seed=pl.lit("one")), "line 2: seed is 'one'; expected a finite number"),
        (lambda t: t.with_columns(method=pl.lit(" ")), "line 2: method is empty; expected a name"),
        (lambda t: t.with_columns(group=pl.lit(None, pl.String)), "line 2: group is empty; expected a name"),
        (
            lambda t: t.with_columns(label=pl.when(pl.int_range(pl.len()) == 3).then(9.0).otherwise(pl.col("label"))),
            "utterance 'u3' has several labels",
        ),
    ],
)
def test_faults_are_named_by_line(change, words, tmp_path):
    path = tmp_path / "x.csv"
    change(rows()).write_csv(path)
    with pytest.raises(ContractError) as refusal:
        brought(path)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("u2,", '"u\n2",', "line 5: label is 'x'"),  # a cell of two lines
        ("u2,", "\n\nu2,", "line 6: label is 'x'"),
        ("u2,", '"u2" 2,', "line 3: ',' expected after '\"'; expected double quotes around"),
        ("u2,", '"u2,', "line 3: a double quote is never closed"),
        ("u2,1,", "u2,1,2,", "ragged rows: 1 of 3\n  line 3: 5 cells; expected 4"),
        ("u3,x,", "u3,", "ragged rows: 1 of 3\n  line 4: 3 cells; expected 4"),
        (",", ";", "line 1: the cells are separated by ';'; expected ','"),
        ("prediction", "label", "line 1: column 'label' is listed twice"),
    ],
)
def test_a_csv_is_read_strictly_and_its_lines_are_counted_as_an_editor_counts_them(tmp_path, before, after, words):
    content = "utterance_id,label,prediction,condition\nu1,1,1,complete\nu2,1,1,complete\nu3,x,1,complete\n"
    (tmp_path / "x.csv").write_text(content.replace(before, after))
    with pytest.raises(ContractError) as refusal:
        brought(tmp_path / "x.csv")
    assert words in str(refusal.value)


def test_a_small_table_of_thousands_of_classes_or_methods_is_refused_in_time(tmp_path, monkeypatch):
    def refused(lines, of=""):
        content = "\n".join([f"utterance_id,label,prediction,condition{of}", *lines])
        (tmp_path / "x.csv").write_text(content)
        with pytest.raises(ContractError) as refusal:
            brought(tmp_path / "x.csv")
        return str(refusal.value)

    many = refused([f"u{i},C{i},c{i},complete" for i in range(2000)])
    assert many == "x.csv, label and prediction have 4,000 different values; expected numbers, or at most 500 classes"
    spelled = refused([f"u{i},C{i},c{i},complete" for i in range(200)])
    assert len(spelled.splitlines()) == 20
    methods = refused([f"u1,1,1,complete,m{i}" for i in range(500)], ",method")
    assert "500 methods under 1 conditions: 124,750 pairs to compare; expected at most 100,000" in methods
    monkeypatch.setattr(confined, "MEMORY", 1 << 20)
    wide = refused([f"u{i},C{i % 100},C0,complete" for i in range(300)])
    assert "100 classes, 1 seeds and 300 groups, whose scores take 3 MB of memory; expected at most 1 MB" in wide


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_csv_with_any_ends_of_lines_and_blank_lines_is_read(tmp_path, ending):
    path = tmp_path / "x.csv"
    rows(seeds=(1,)).write_csv(path)
    whole = brought(path).curves
    path.write_bytes(b"\xef\xbb\xbf" + (path.read_text() + "\n\n").replace("\n", ending).encode())
    assert brought(path).curves == whole


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("prediction", [[1.0]], "column prediction holds List(Float64); expected numbers or text"),
        ("label", [b"x"], "column label holds Binary; expected numbers or text"),
        ("label", [datetime.date(2020, 1, 1)], "column label holds Date; expected numbers or text"),
        ("method", [["a"]], "column method holds List(String); expected text"),
        ("seed", [True], "column seed holds Boolean; expected numbers"),
        ("prediction", [datetime.timedelta(1)], "expected numbers or text"),
        ("prediction", [float("inf")], "row 1: prediction is inf; expected a finite number"),
    ],
)
def test_columns_of_other_types_are_named(tmp_path, column, values, words):
    table = rows(seeds=(1,)).with_columns(pl.Series(column, values * (N * 8)))
    table.write_parquet(tmp_path / "x.parquet")
    with pytest.raises(ContractError) as refusal:
        brought(tmp_path / "x.parquet")
    assert words in str(refusal.value)


def test_decimals_categories_and_words_for_yes_are_read(tmp_path):
    table = rows(seeds=(1,)).with_columns(
        pl.col("label").cast(pl.Decimal(10, 3)), pl.col("method").cast(pl.Categorical)
    )
    table.write_parquet(tmp_path / "x.parquet")
    assert brought(tmp_path / "x.parquet").task == "regression"
    yes = pl.col("label") > 0
    table.with_columns(label=yes, prediction=yes).write_csv(tmp_path / "x.csv")
    assert brought(tmp_path / "x.csv").classes == ["false", "true"]


def test_unknown_metrics_and_references_are_named(table):
    with pytest.raises(CommandError, match="there is no metric 'maee' of a regression; did you mean 'mae'"):
        brought(table, metric="maee")
    with pytest.raises(CommandError, match="has no method 'their'; did you mean 'theirs'"):
        brought(table, reference="their")


def test_the_verb_prints_curves_and_verdicts_or_one_document(table, capsys):
    words = ended(capsys, "robustness", table, "--margin", "0.1", "--reference", "theirs").out
    assert words.startswith("MAE (lower is better) of a score: 60 utterances in 20 groups, 4 seeds")
    assert "effective" in words and "better" in words and "worse" in words
    document = json.loads(ended(capsys, "robustness", table, "--json").out)
    checked(document)
    assert len(document["curves"]) == 2 * 5
    assert ended(capsys, "robustness", table.with_name("absent.csv")).code == 3


def test_what_is_no_table_or_more_than_the_budget_is_named(table, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(
        ContractError, match=r"pipe.csv is a named pipe; expected a table with the columns utterance_id"
    ):
        brought(tmp_path / "pipe.csv")
    with pytest.raises(DataMissing, match=r"nothing.csv is missing; expected a table"):
        brought(tmp_path / "nothing.csv")
    many = pl.DataFrame({"utterance_id": pl.repeat("u", 3_000_000, eager=True)})
    many.write_parquet(tmp_path / "many.parquet")
    assert (tmp_path / "many.parquet").stat().st_size < 100_000
    with pytest.raises(ContractError, match=r"many.parquet states 3,000,000 rows"):
        brought(tmp_path / "many.parquet")
    strange = rows().with_columns(pl.lit(1).alias(f"c\x1b[2J{i}") for i in range(300))
    strange.write_csv(tmp_path / "strange.csv")
    with pytest.raises(ContractError) as refused:
        brought(tmp_path / "strange.csv")
    assert "'c\\x1b[2J0'" in str(refused.value) and "and 295 more; expected the columns" in str(refused.value)


def test_a_compressed_table_is_not_unpacked(table, tmp_path):
    """Polars would: 8 kB may stand for gigabytes."""
    for name, content in (
        ("packed.csv", gzip.compress(table.read_bytes())),
        ("bytes.csv", table.read_bytes()[:90] + b"\xe9" + table.read_bytes()[90:]),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ContractError, match=rf"{name} line \d: (byte 0x.. is not UTF-8|it holds a NUL byte)"):
            brought(tmp_path / name)
