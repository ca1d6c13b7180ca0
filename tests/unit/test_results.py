"""From cells to claims and tables: scores come from the store, damage is refused, claims can come out any way."""

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import mean_absolute_error

from conftest import made_features
from trml.base.artifacts import read_json, write_json, write_sums
from trml.base.errors import StoreError
from trml.config.load import check
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.evaluate import evaluate
from trml.evaluation.metrics import metrics_of
from trml.evaluation.predictions import Evaluation
from trml.features.writer import write_features
from trml.missing.conditions import Condition, conditions
from trml.missing.masks import missing
from trml.planning.attic import bring_back, set_aside, unreachable
from trml.planning.plan import Plan
from trml.report.figures import forest, rate_curves
from trml.report.publish import is_published, publish
from trml.report.style import plt
from trml.report.tables import Table, claim_table, main_table, to_latex, to_markdown
from trml.training.contract import is_done, read_cell, write_cell
from trml.training.stack_run import Outcome

FEW = ("trml", "supervised_single", "supervised_single_matched", "zero_fill", "supervised_double")


def small_plan(raw, tmp_path, victims=("vision", "text"), sweeps=None):
    """A small plan whose features are made and whose cells a test fills in itself."""
    raw["protocol"].update(victims=list(victims), rates=[0.0, 0.5, 1.0], complete=[0.5], seeds=[1, 2, 3])
    raw["report"].update(resamples=1000, conditions=[0.5, 1.0])
    raw["methods"] = {name: raw["methods"][name] for name in FEW}
    raw["methods"]["trml"].update(sweeps=sweeps or {}, grids=[])
    plan = Plan(check(raw), tmp_path / "work")
    plan.features.mkdir(parents=True)
    features = made_features(n=300)
    write_features(plan.features, replace(features, info=replace(features.info, digest=plan.features.name)))
    return plan


@pytest.fixture
def plan(raw, tmp_path):
    return small_plan(raw, tmp_path)


def fill(plan, error_of):
    """Put cells into the store whose errors are drawn with the scale that `error_of(cell, pattern)` says."""
    index = pl.read_parquet(plan.features / "index.parquet")
    for cell in plan.cells:
        predictions = {}
        rng = np.random.default_rng(int(cell.digest, 16))
        for split, condition in conditions(cell):
            label = index.filter(pl.col("split") == split)["label"].to_numpy()
            noise = rng.normal(size=len(label)) * error_of(cell, condition)
            predictions[split, condition] = (label + noise).astype(np.float32)
        history = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}]
        ids = {s: index.filter(pl.col("split") == s)["utterance_id"].to_list() for s in ("valid", "test")}
        write_cell(plan, cell, Outcome(predictions, history, 0, {}), ids, {"device": "cpu", "wall_s": 0.1})


def claims(plan, tmp_path):
    folder = tmp_path / "evaluation"
    folder.mkdir()
    evaluate(plan, folder)
    return {claim["id"]: claim for claim in read_json(folder / "claims.json")}


def test_a_planted_winner_is_found(plan, tmp_path):
    fill(plan, lambda cell, _: 0.2 if cell.method == "trml" and cell.variant == "default" else 0.6)
    found = claims(plan, tmp_path)
    assert found["C1"]["verdict"] == "supported"
    assert found["C3"]["verdict"] == "supported"
    assert all(c["low"] > 0 for c in found["C1"]["comparisons"])


def test_a_planted_loser_is_refuted(plan, tmp_path):
    fill(plan, lambda cell, _: 0.6 if cell.method == "trml" and cell.variant == "default" else 0.2)
    found = claims(plan, tmp_path)
    assert (found["C1"]["verdict"], found["C3"]["verdict"]) == ("refuted", "refuted")


def test_equals_are_undecided(plan, tmp_path):
    fill(plan, lambda *_: 0.4)
    found = claims(plan, tmp_path)
    assert (found["C1"]["verdict"], found["C3"]["verdict"]) == ("undecided", "undecided")


def test_one_loss_among_wins_refutes(plan, tmp_path):
    fill(plan, lambda cell, _: {"trml": 0.3, "zero_fill": 0.1}.get(cell.method, 0.9))
    assert claims(plan, tmp_path)["C1"]["verdict"] == "refuted"


def test_a_condition_mixes_patterns_by_the_mask(plan):
    fill(plan, lambda _, pattern: {"complete": 0.0, "text_missing": 1.0}.get(pattern, 2.0))
    evaluation = Evaluation(plan)
    cell = plan.cell("trml", "default", "text", 0.5, 0.5, 2)
    at_half = evaluation.cell_predictions(cell, Condition.alike("text", 0.5))
    wrong = ~np.isclose(at_half, evaluation.label, atol=1e-5)
    assert (wrong == missing("pantomime", "text", "test", 2, 0.5, len(wrong))).all()


def test_metrics_equal_scikit_learn_on_the_stored_predictions(plan, tmp_path):
    fill(plan, lambda *_: 0.5)
    folder = tmp_path / "evaluation"
    folder.mkdir()
    evaluate(plan, folder)
    rows = pl.read_csv(folder / "metrics.csv")
    index = pl.read_parquet(plan.features / "index.parquet").filter(pl.col("split") == "test")
    for cell in plan.cells[::5]:
        stored = pl.read_parquet(plan.cell_folder(cell) / "predictions.parquet")
        test = stored.filter(pl.col("split") == "test", pl.col("condition") == "complete")
        expected = mean_absolute_error(index["label"].cast(pl.Float64), test["prediction"].cast(pl.Float64))
        row = rows.filter(pl.col("cell") == cell.digest, pl.col("condition") == "complete", pl.col("metric") == "mae")
        assert row["value"].item() == pytest.approx(expected, abs=1e-6)
    assert rows.filter(pl.col("metric") == "mae").group_by("cell").len()["len"].min() >= 2


def test_damage_in_the_store_is_named(plan):
    fill(plan, lambda *_: 0.5)
    cell, other = plan.cells[0], plan.cells[1]
    path = plan.cell_folder(cell) / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(StoreError, match="its checksum differs") as damage:
        read_cell(plan, cell)
    assert f"{plan.cell_folder(cell)}: predictions.parquet" in str(damage.value)
    assert "snakemake --cores all" in str(damage.value)
    assert not is_done(plan, cell)  # withdrawn: the next run trains it again
    rename(plan, other, "0" * 12)
    with pytest.raises(StoreError, match="holds cell 000000000000; expected"):
        read_cell(plan, other)


def rename(plan, cell, digest):
    """Have a cell's folder hold, undamaged, the cell of another recipe."""
    folder = plan.cell_folder(cell)
    write_json(folder / "cell.json", {**read_json(folder / "cell.json"), "digest": digest})
    write_sums(folder)


def test_a_failed_training_is_shown_as_failed_and_never_as_a_number(plan, tmp_path):
    fill(plan, lambda *_: 0.4)
    cell = plan.cell("trml", "default", "vision", 0.5, 0.5, 2)
    shutil.rmtree(plan.cell_folder(cell))
    failed = Outcome(
        {}, [{"epoch": 0, "train_loss": float("nan"), "dev_loss": 1.0}], -1, {}, "the training loss was nan"
    )
    write_cell(plan, cell, failed, {}, {"device": "cpu", "wall_s": 0.1})
    found = claims(plan, tmp_path)
    metrics = pl.read_csv(tmp_path / "evaluation" / "metrics.csv")
    assert (
        metrics.filter(pl.col("cell") == cell.digest)["value"].null_count()
        == metrics.filter(pl.col("cell") == cell.digest).height
        > 0
    )
    assert metrics.filter(pl.col("cell") != cell.digest)["value"].null_count() == 0
    summary = pl.read_parquet(tmp_path / "evaluation" / "summary.parquet")
    row = summary.filter(
        pl.col("protocol") == "alike",
        pl.col("method") == "trml",
        pl.col("variant") == "default",
        pl.col("victim") == "vision",
        pl.col("rate") == 0.5,
    )
    assert row["failed"].to_list() == [1] * row.height
    assert row["value"].null_count() == row.height
    assert not row["leads"].any()
    here = [c for c in found["C1"]["comparisons"] if (c["victim"], c["rate"]) == ("vision", 0.5)]
    assert {(c["verdict"], c["effect"]) for c in here} == {("failed", None)}
    assert found["C1"]["verdict"] != "supported"
    params, known = plan.params, metrics_of("regression", 0)
    main = to_markdown(main_table(params, summary, known))
    assert "failed (1 of the seeds)" in main
    assert "nan" not in main + to_markdown(claim_table(found["C1"], known[0]))
    for figure in (
        rate_curves(params, summary, "alike", "vision", known[:2]),
        forest(params, found["C3"], known[0], "gain in"),
    ):
        plt.close(figure)


def test_publishing_keeps_equal_results_and_replaces_others(plan, tmp_path):
    fill(plan, lambda *_: 0.5)

    def make(numbers, digest=plan.results.name):
        from trml.base.digests import file_digest

        plan.results.mkdir(parents=True, exist_ok=True)
        (plan.results / "metrics.csv").write_text(numbers)
        files = {"metrics.csv": file_digest(plan.results / "metrics.csv")}
        write_json(plan.results / "manifest.json", {"digest": digest, "files": files})

    results = tmp_path / "results"
    make("1")
    assert not is_published(plan, results)
    publish(plan, results)
    assert is_published(plan, results)
    (results / "pantomime" / "note").write_text("the copy of an earlier run")
    publish(plan, results)
    assert (results / "pantomime" / "note").exists()  # reproduced: left as it was
    make("2")
    publish(plan, results)
    assert (results / "pantomime" / "metrics.csv").read_text() == "2"
    assert [p.name for p in results.iterdir()] == ["pantomime"]
    (results / "pantomime" / "metrics.csv").write_text("edited by hand")
    assert not is_published(plan, results)
    make("3", digest="another")
    with pytest.raises(StoreError, match="it is not published"):
        publish(plan, results)


def test_publishing_refuses_a_cell_of_another_recipe(plan, tmp_path):
    fill(plan, lambda *_: 0.5)
    plan.results.mkdir(parents=True)
    write_json(plan.results / "manifest.json", {"digest": plan.results.name, "files": {}})
    cell = plan.cells[3]
    rename(plan, cell, "stale")
    with pytest.raises(StoreError, match="holds cell stale"):
        publish(plan, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_only_what_the_configuration_cannot_reach_is_collected(plan):
    fill(plan, lambda *_: 0.5)
    stray = [plan.work / "corpora" / "old-abc", plan.cell_store / "trml" / "default-none-0-1-abc"]
    for path in stray:
        path.mkdir(parents=True)
    assert unreachable([plan], work=plan.work) == stray
    assert unreachable([plan], ["corpora"], plan.work) == stray[:1]


def test_what_is_set_aside_comes_back_by_name(plan, raw):
    fill(plan, lambda *_: 0.5)
    raw["protocol"]["seeds"] = [1, 2]
    narrower = Plan(check(raw), plan.work)
    before = {path: path.stat().st_mtime_ns for path in plan.work.rglob("cell.json")}
    aside = unreachable([narrower], ["cells"], plan.work)
    assert len(aside) == len(plan.cells) - len(narrower.cells) > 0
    for path in aside:
        set_aside(path, plan.work)
    assert unreachable([narrower], ["cells"], plan.work) == []
    bring_back([plan], plan.work)
    assert {path: path.stat().st_mtime_ns for path in plan.work.rglob("cell.json")} == before


def test_ceiling_mixes_as_a_pooled_predictor_does(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.normal(size=400_000)
    seen = {"complete": y * 0.9, "text_missing": y * 0.9}  # conditional means of a signal seen through noise
    seen["text_missing"] = 0.25 * (y + rng.normal(size=len(y)) * np.sqrt(3))
    seen["complete"] = 0.8 * (y + rng.normal(size=len(y)) * 0.5)
    rows = [{"pattern": k, "metric": "corr", "value": np.corrcoef(y, v)[0, 1]} for k, v in seen.items()]
    pl.DataFrame(rows).write_parquet(tmp_path / "ceiling.parquet")
    lost = rng.random(len(y)) < 0.3
    pooled = np.corrcoef(y, np.where(lost, seen["text_missing"], seen["complete"]))[0, 1]
    assert Ceiling(tmp_path).at("corr", "text", 0.3) == pytest.approx(pooled, abs=3e-3)
    assert Ceiling(tmp_path / "none").at("corr", "text", 0.3) is None


def test_tables_escape_and_embolden():
    groups = [("MAE", [[("a_b & 50%", False), ("0.1", True)]])]
    table = Table("t", "T", "note", ["method", "x"], groups, pl.DataFrame())
    latex, markdown = to_latex(table), to_markdown(table)
    assert r"a\_b \& 50\% & \textbf{0.1} \\" in latex
    assert latex.count(r"\begin") == latex.count(r"\end") == 2
    assert "| a_b & 50% | **0.1** |" in markdown
