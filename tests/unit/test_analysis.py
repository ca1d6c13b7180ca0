"""The analysis: ranks as a plain loop counts them, examples that are the ones, and a small plan from end to end."""

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from scipy.stats import rankdata

from conftest import made_features
from trml.base.artifacts import read_json
from trml.config.load import check
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.evaluation.predictions import Evaluation
from trml.evaluation.probing.embedding import plane
from trml.evaluation.probing.examples import find_examples, mean_error, pick
from trml.evaluation.probing.factors import best_retrieval, read_levels, same_level
from trml.evaluation.probing.probe import analyse, spread
from trml.evaluation.probing.retrieval import cosines, off_diagonal, ranks, summary
from trml.features.writer import write_features
from trml.planning.attic import reachable
from trml.planning.plan import Block, Plan
from trml.report.pictures import draw_pictures
from trml.training.contract import write_cell
from trml.training.stack_run import Outcome
from trml.training.worker import train_block

CPU = torch.device("cpu")
EMPTY = ("retrieval", "ranks", "levels", "embedding")


# --- retrieval -------------------------------------------------------------------------------------------


def test_ranks_are_those_of_a_plain_loop_and_of_scipy():
    rng = np.random.default_rng(0)
    similarity = rng.integers(0, 6, size=(30, 30)) / 10  # so that there are many ties
    for i, found in enumerate(ranks(similarity)):
        above = sum(other > similarity[i, i] for other in similarity[i])
        ties = sum(other == similarity[i, i] for other in similarity[i]) - 1
        assert found == 1 + above + ties / 2
        assert found == rankdata(-similarity[i])[i]


def test_cosines_and_means_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 7, 4)).astype(np.float32)
    similarity = cosines(a, b)
    for i in range(7):
        row = [float(a[i] @ b[j] / np.linalg.norm(a[i]) / np.linalg.norm(b[j])) for j in range(7)]
        assert similarity[i] == pytest.approx(row, abs=1e-5)
        assert off_diagonal(similarity)[i] == pytest.approx(np.mean(row[:i] + row[i + 1 :]), abs=1e-5)


def test_the_identity_finds_every_partner_and_random_vectors_find_them_by_chance():
    rng = np.random.default_rng(2)
    real = rng.normal(size=(400, 16))
    same = summary(cosines(real, real))
    assert (same["r1"], same["r5"], same["median_rank"], same["diagonal"]) == (1, 1, 1, 1)
    drawn = [summary(cosines(rng.normal(size=(400, 16)), real)) for _ in range(20)]
    for name in ("r1", "r5", "median_rank"):
        values = [each[name] for each in drawn]
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values) - drawn[0][f"{name}_chance"]) < 4 * error
    assert (drawn[0]["r1_chance"], drawn[0]["r5_chance"], drawn[0]["median_rank_chance"]) == (1 / 400, 5 / 400, 200.5)


@pytest.mark.parametrize("virtual", [np.zeros((9, 3)), np.ones((9, 3))], ids=["zeros", "constant"])
def test_what_tells_nothing_is_no_better_than_chance(virtual):
    """Equal real vectors tie, whatever a virtual one says."""
    found = summary(cosines(virtual, np.ones((9, 3))))
    assert (found["r1"], found["median_rank"]) == (0, found["median_rank_chance"])


# --- levels ----------------------------------------------------------------------------------------------


def test_who_knows_the_common_level_finds_as_many_as_is_said():
    rng = np.random.default_rng(3)
    level = rng.integers(0, 3, size=60)
    best = best_retrieval({"shared": level})
    same = (level[:, None] == level[None, :]).astype(float)
    found = [summary(same + rng.uniform(0, 0.5, size=same.shape)) for _ in range(300)]
    assert best["r1_best"] == pytest.approx(3 / 60)
    for k in (1, 5):
        assert np.mean([each[f"r{k}"] for each in found]) == pytest.approx(best[f"r{k}_best"], rel=0.1)
    assert np.mean([each["median_rank"] for each in found]) == pytest.approx(best["median_rank_best"], rel=0.1)


def test_levels_are_carried_or_met_by_chance(tmp_path):
    level = np.array([0, 0, 1, 1])
    assert same_level(np.eye(4), level) == (1, 0.5)
    assert same_level(np.zeros((4, 4)), level) == (0.5, 0.5)  # everything is nearest
    assert same_level(np.eye(4)[[2, 3, 0, 1]], level) == (0, 0.5)
    assert read_levels(tmp_path, ["a"]) is None
    pl.DataFrame({"utterance_id": ["a", "b"], "shared": [1, 2]}).write_parquet(tmp_path / "factors.parquet")
    levels = read_levels(tmp_path, ["b", "a"])
    assert levels is not None
    assert levels["shared"].tolist() == [2, 1]


# --- embedding and examples ------------------------------------------------------------------------------


def test_an_embedding_comes_out_the_same_twice():
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(40, 8)).astype(np.float32)
    vectors[:20] += 5
    points = plane(vectors)
    assert (plane(vectors) == points).all()
    centres = points[:20].mean(axis=0), points[20:].mean(axis=0)
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * points[:20].std()


def test_what_is_shown_is_spread_over_the_labels():
    label = np.array([3.0, -1.0, 0.0, 2.0, 1.0])
    assert label[spread(label, 3)].tolist() == [-1.0, 1.0, 3.0]
    assert label[spread(label, 9)].tolist() == [-1.0, 0.0, 1.0, 2.0, 3.0]


def test_examples_are_the_largest_and_the_smallest_errors():
    label = np.zeros(9)
    predictions = np.array(
        [[0.1, -0.9, 0.3, 0.8, 0.0, 0.7, 0.5, 0.2, 0.6], [0.1, 0.9, 0.3, 0.8, 0.1, 0.7, 0.5, 0.2, 0.6]]
    )
    error = mean_error(predictions, label, "regression")
    assert error == pytest.approx([0.1, 0.9, 0.3, 0.8, 0.05, 0.7, 0.5, 0.2, 0.6])
    assert pick(error, label) == [(1, "worst"), (3, "worst"), (5, "worst"), (8, "worst"), (4, "best"), (0, "best")]


def test_equal_errors_show_first_what_goes_well_with_both():
    error = mean_error(np.array([[0, 1, 2, 2, 1, 0, 0], [0, 1, 2, 2, 0, 1, 0.0]]), np.zeros(7), "classification")
    assert error.tolist() == [0, 1, 1, 1, 0.5, 0.5, 0]
    with_both = np.array([1, 1, 0, 0.5, 0, 1, 0.5])
    assert pick(error, with_both) == [
        (2, "worst"), (3, "worst"), (1, "worst"), (4, "worst"), (6, "best"), (0, "best"),
    ]  # fmt: skip
    assert [i for i, _ in pick(error[:3], with_both[:3])] == [2, 1, 0]  # no utterance twice


# --- a plan ----------------------------------------------------------------------------------------------


@pytest.fixture
def make(raw, tmp_path):
    """Makes a small plan with a corpus of pictures, features, and the cells that an analysis reads, trained."""

    def made(classes: int = 0, train: bool = True) -> Plan:
        raw["protocol"].update(victims=["vision", "text"], rates=[0.0, 0.5], complete=[], seeds=[1, 2])
        raw["report"].update(conditions=[0.5])
        raw["training"].update(epochs=2, batch_size=16)
        for method in raw["methods"].values():
            method["options"]["hidden"] = 8
        plan = Plan(check(raw), tmp_path / "work")
        plan.features.mkdir(parents=True)
        features = made_features(n=120, classes=classes)
        features.text[105], features.present[105, 0] = 0, False  # a test utterance whose text is missing for real
        write_features(plan.features, replace(features, info=replace(features.info, digest=plan.features.name)))
        _write_corpus(plan, features)
        if train:
            stored = {cell.digest: cell for cell in plan.cells}
            cells = {cell.digest: stored[cell.digest] for cell in plan.analysed_cells.values()}
            train_block(plan, Block("made", plan.work / "blocks" / "made.json", tuple(cells.values())), CPU)
        return plan

    return made


def _write_corpus(plan: Plan, features) -> None:
    plan.corpus.mkdir(parents=True)
    ids = features.index["utterance_id"].to_list()
    picture = Image.new("RGB", (20, 10), (200, 30, 30))
    picture.save(plan.corpus / "clip.png")
    info = features.info
    table = features.index.with_columns(
        video_id=pl.lit("v"),
        text=pl.Series([f"sentence of {name}" if name != "u105" else "" for name in ids]),
        clip=pl.lit("clip.png"),
        start_s=pl.lit(0.0),
        end_s=pl.lit(1.0),
    )
    write_corpus(
        plan.corpus, CorpusInfo("made", "Made", info.task, info.classes, "a test", "MIT", "files", [], "made"), table
    )


def _analysed(plan: Plan, folder):
    folder.mkdir()
    analyse(plan, folder, CPU)
    return read_json(folder / "analysis.json"), read_json(folder / "examples.json")["examples"]


@pytest.mark.parametrize("classes", [0, 3], ids=["regression", "classes"])
def test_a_trained_plan_is_analysed_and_drawn(make, tmp_path, monkeypatch, classes):
    plan = make(classes)
    folder = tmp_path / "analysis"
    about, examples = _analysed(plan, folder)
    assert (about["reason"], about["method"], about["victims"], about["n"]) == (None, "trml", ["vision", "text"], 19)
    ranked = pl.read_parquet(folder / "ranks.parquet")
    assert ranked.group_by("victim", "seed").len()["len"].to_list() == [19] * 4
    assert "u105" not in ranked["utterance_id"]
    found = pl.read_parquet(folder / "retrieval.parquet")
    for (victim, seed), part in ranked.group_by("victim", "seed"):
        row = found.row(by_predicate=(pl.col("victim") == victim) & (pl.col("seed") == seed), named=True)
        assert row["r5"] == pytest.approx((part["rank"] <= 5).mean())
        assert row["diagonal"] == pytest.approx(part["diagonal"].mean())
    with np.load(folder / "similarity.npz") as matrices:
        assert matrices["text_virtual"].shape == matrices["vision_real"].shape == (19, 19)
        assert (np.diff(matrices["vision_label"]) >= 0).all()
    points = pl.read_parquet(folder / "embedding.parquet")
    assert points.group_by("modality", "kind").len()["len"].to_list() == [19] * 4
    assert [(e["victim"], e["outcome"]) for e in examples] == [
        (victim, outcome) for victim in ("vision", "text") for outcome in ["worst"] * 4 + ["best"] * 2
    ]
    for example in examples:
        assert Image.open(folder / example["strip"]).size == (20, 10)
        assert example["text"] == f"sentence of {example['utterance_id']}"
        assert {len(p["missing"]) for p in example["predictions"].values()} == {2}
    drawn = {}
    monkeypatch.setattr("trml.report.pictures.save", lambda figure, _, name: drawn.update({name: figure}))
    captions = draw_pictures(plan.params, folder, tmp_path / "figures")
    assert list(captions) == [
        f"virtual_{name}" for name in ("retrieval", "similarity", "embedding", "worst", "best")
    ]  # levels are pantomime's alone
    for figure in drawn.values():
        figure.canvas.draw()
    assert list(drawn) == list(captions)
    again = tmp_path / "again"
    _analysed(plan, again)
    for path in (p for p in folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path


def test_examples_come_from_the_predictions_of_the_store(make):
    plan = make(train=False)
    evaluation = Evaluation(plan)
    ids = {"test": evaluation.ids}
    for cell in {cell.digest: cell for cell in plan.cells}.values():
        off = np.arange(20) * (0.1 if cell.method == "trml" else 0.01)
        predictions = {
            ("test", pattern): (evaluation.label + (off if pattern == "vision_missing" else off[::-1])).astype(
                np.float32
            )
            for pattern in ("complete", "vision_missing", "text_missing")
        }
        outcome = Outcome(predictions, [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}], 0, {})
        write_cell(plan, cell, outcome, ids, {"device": "cpu", "wall_s": 0.1})
    examples = find_examples(evaluation, "trml", ["vision", "text"], np.arange(19))
    of = {v: [e["utterance_id"] for e in examples if e["victim"] == v] for v in ("vision", "text")}
    names = evaluation.ids
    assert of["vision"] == [names[i] for i in (18, 17, 16, 15, 0, 1)]
    assert of["text"] == [names[i] for i in (0, 1, 2, 3, 18, 17)]
    first = examples[0]
    assert first["error"] == pytest.approx(1.8, abs=1e-5)
    assert first["predictions"]["zero_fill"]["missing"] == pytest.approx([first["label"] + 0.18] * 2, abs=1e-5)
    assert first["predictions"]["trml"]["complete"] == pytest.approx([first["label"] + 0.1] * 2, abs=1e-5)


def _is_empty(folder, about, examples, reason):
    assert reason in about["reason"]
    assert examples == []
    assert all(pl.read_parquet(folder / f"{name}.parquet").height == 0 for name in EMPTY)
    with np.load(folder / "similarity.npz") as matrices:
        assert matrices.files == []


def test_a_failed_training_leaves_an_empty_analysis_that_says_so(make, tmp_path):
    plan = make()
    stored = {cell.digest: cell for cell in plan.cells}
    cell = stored[plan.analysed_cells["trml", "text", 2].digest]
    shutil.rmtree(plan.cell_folder(cell))
    history = [{"epoch": 0, "train_loss": float("nan"), "dev_loss": 1.0}]
    write_cell(plan, cell, Outcome({}, history, -1, {}, "the training loss was nan"), {}, {"wall_s": 0.1})
    folder = tmp_path / "analysis"
    about, examples = _analysed(plan, folder)
    _is_empty(folder, about, examples, f"training {cell.digest} failed: the training loss was nan")
    assert draw_pictures(plan.params, folder, tmp_path / "figures") == {}


@pytest.mark.parametrize(("role", "reason"), [("trml", "no method of"), ("zero_fill", "makes no virtual modality")])
def test_without_an_imagining_method_there_is_nothing_to_analyse(make, raw, tmp_path, role, reason):
    raw["methods"]["trml"]["role"] = "baseline"
    if role != "trml":
        raw["methods"][role]["role"] = "proposed"
    folder = tmp_path / "analysis"
    about, examples = _analysed(make(train=False), folder)
    _is_empty(folder, about, examples, reason)


def test_an_analysis_is_named_by_what_it_reads(raw):
    def name() -> str:
        plan = Plan(check(raw))
        assert (plan.analysis, "analysis.json") in plan.folders
        assert plan.analysis in reachable([plan])
        assert {cell.digest for cell in plan.analysed_cells.values()} <= {cell.digest for cell in plan.cells}
        return plan.analysis.name

    before = name()
    raw["methods"]["trml"]["sweeps"]["temperature"].append(2.0)
    raw["report"]["resamples"] = 6000
    assert name() == before
    raw["protocol"]["seeds"].append(2025)
    assert name() != before
