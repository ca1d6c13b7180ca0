"""The probes: ranks as a plain loop counts them, examples that are the ones, and reasons where nothing is probed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from scipy.stats import rankdata

from helpers.synthetic_cells import METHODS, STUDY, fill, inputs_of, real_methods, write, write_failed
from helpers.synthetic_features import SETTINGS, TRIPLE, synthetic_features
from trml.base.artifacts import read_json
from trml.evaluation.contract import ProbeInputs
from trml.evaluation.predictions import Evaluation
from trml.evaluation.probing.embedding import plane
from trml.evaluation.probing.examples import find_examples, mean_error, pick
from trml.evaluation.probing.factors import best_retrieval, carried, common_factors, read_levels, same_level
from trml.evaluation.probing.probe import probe, spread
from trml.evaluation.probing.retrieval import cosines, off_diagonal, ranks, summary
from trml.features.contract import read_features
from trml.training.store import shard_of, withdraw

EMPTY = ("retrieval", "ranks", "factors", "embedding")
ALL = replace(STUDY, rates=(0.0, 0.5), complete=(), seeds=(1, 2))


# --- retrieval -------------------------------------------------------------------------------------------


def test_ranks_are_those_of_a_plain_loop_and_of_scipy():
    rng = np.random.default_rng(0)
    similarity = rng.integers(0, 6, size=(30, 30)) / 10  # so that there are many ties
    for i, rank in enumerate(ranks(similarity)):
        above = sum(other > similarity[i, i] for other in similarity[i])
        ties = sum(other == similarity[i, i] for other in similarity[i]) - 1
        assert rank == 1 + above + ties / 2
        assert rank == rankdata(-similarity[i])[i]


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


# --- factors ---------------------------------------------------------------------------------------------


def test_who_knows_the_common_level_finds_as_many_as_is_said():
    rng = np.random.default_rng(3)
    level = rng.integers(0, 3, size=60)
    best = best_retrieval([level])
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


def test_factors_that_modalities_share_are_common():
    shown_in = {"a": ["text", "vision"], "b": ["text"], "c": ["vision", "audio"], "noise": []}
    assert common_factors(shown_in, "text") == ["a"]
    assert common_factors(shown_in, "vision") == ["a", "c"]
    levels = {name: np.array([0, 0, 1, 1]) for name in shown_in}
    rows = carried(np.eye(4), levels, shown_in, "text")
    assert [(row["factor"], row["common"], row["same"], row["chance"]) for row in rows] == [
        ("a", True, 1.0, 0.5), ("b", False, 1.0, 0.5),
    ]  # fmt: skip


def test_levels_of_several_common_factors_are_known_together():
    first, second = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert best_retrieval([first])["r1_best"] == 0.5
    assert best_retrieval([first, second])["r1_best"] == 1.0


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


# --- the store -------------------------------------------------------------------------------------------


def test_examples_come_from_the_predictions_of_the_store(tmp_path):
    inputs = inputs_of(tmp_path, ALL, synthetic_features(n=120))
    features = read_features(inputs.features)
    label = features.index["label"].to_numpy()
    for cell in inputs.distinct_cells():
        off = np.arange(20) * (0.1 if cell.spec.method == "trml" else 0.01)
        predictions = {
            ("test", present): label[features.rows("test")] + (off if present == "text" else off[::-1])
            for present in ("text+vision", "text", "vision")
        }
        write(cell, predictions, features)
    evaluation = Evaluation(inputs)
    examples = find_examples(evaluation, "trml", ["vision", "text"], np.arange(19))
    of = {v: [e["utterance_id"] for e in examples if e["victim"] == v] for v in ("vision", "text")}
    names = evaluation.ids
    assert of["vision"] == [names[i] for i in (18, 17, 16, 15, 0, 1)]
    assert of["text"] == [names[i] for i in (0, 1, 2, 3, 18, 17)]
    first = examples[0]
    assert first["error"] == pytest.approx(1.8, abs=1e-3)
    assert first["predictions"]["zero_fill"]["missing"] == pytest.approx([first["label"] + 0.18] * 2, abs=1e-3)
    assert first["predictions"]["trml"]["complete"] == pytest.approx([first["label"] + 0.1] * 2, abs=1e-3)


def probed(inputs, folder):
    """Probe; return probes.json and the examples."""
    folder.mkdir()
    probe(ProbeInputs(inputs, SETTINGS, Path("data"), 3), folder, torch.device("cpu"))
    return read_json(folder / "probes.json"), read_json(folder / "examples.json")["examples"]


def is_empty(folder, about, examples, reason):
    assert reason in about["reason"]
    assert (examples, about["victims"]) == ([], [])
    assert all(pl.read_parquet(folder / f"{name}.parquet").height == 0 for name in EMPTY)
    with np.load(folder / "similarity.npz") as matrices:
        assert matrices.files == []


def test_a_failed_training_leaves_empty_probes_that_say_so(tmp_path, default_raw):
    inputs = inputs_of(tmp_path, replace(ALL, methods=real_methods(default_raw, [m.name for m in METHODS])))
    fill(inputs, lambda *_: 0.4)
    cell = inputs.cell("trml", "default", "text", 0.5, 0.5, 2)
    withdraw(shard_of(cell))
    write_failed(cell)
    folder = tmp_path / "probes"
    about, examples = probed(inputs, folder)
    is_empty(folder, about, examples, f"training {cell.digest} failed: the training loss was nan")
    assert about["method"] == "trml"


@pytest.mark.parametrize(("role", "reason"), [("trml", "no method of"), ("zero_fill", "makes no virtual modality")])
def test_without_a_method_that_makes_virtual_modalities_nothing_is_probed(tmp_path, default_raw, role, reason):
    roles = {"trml": "baseline"} if role == "trml" else {"trml": "baseline", role: "proposed"}
    every = real_methods(default_raw, [m.name for m in METHODS])
    methods = tuple(replace(m, role=roles.get(m.name, m.role)) for m in every)
    inputs = inputs_of(tmp_path, replace(ALL, methods=methods))
    fill(inputs, lambda *_: 0.4)
    folder = tmp_path / "probes"
    is_empty(folder, *probed(inputs, folder), reason)


def test_without_a_single_modality_as_victim_nothing_is_probed(tmp_path):
    inputs = inputs_of(tmp_path, replace(ALL, victims=("random_modality",)))
    folder = tmp_path / "probes"
    is_empty(folder, *probed(inputs, folder), "no victim of the protocol is a single modality (text, vision)")


def test_the_probed_cells_are_defaults_at_the_study_rate(tmp_path):
    study = replace(ALL, modalities=TRIPLE, victims=("audio", "text+audio", "text"))
    inputs = inputs_of(tmp_path, study)
    cells = inputs.probed_cells()
    assert list(cells) == [(m.name, v, seed) for m in METHODS for v in ("audio", "text") for seed in (1, 2)]
    assert {c.spec.variant for c in cells.values()} == {"default"}
    assert {c.spec.rate for key, c in cells.items() if key[0] == "trml"} == {0.5}
    assert {cell.digest for cell in cells.values()} <= {cell.digest for cell in inputs.distinct_cells()}
