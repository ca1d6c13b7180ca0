"""Claims come out any way, and one file adds a claim or a metric."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from helpers.extension import extension
from helpers.synthetic_cells import (
    METHODS,
    PROPOSED,
    STUDY,
    SWEEP,
    evaluated,
    fill,
    inputs_of,
    scaled,
    with_sweep,
    write,
)
from helpers.synthetic_features import synthetic_features
from helpers.synthetic_report import inputs_of_report
from trml.base.artifacts import read_json
from trml.base.errors import ContractError
from trml.evaluation.claims.common.judge import Statement, _side
from trml.evaluation.contract import StudyVariant
from trml.evaluation.decide import decide
from trml.evaluation.predictions import Evaluation
from trml.evaluation.registry import metrics_of
from trml.evaluation.schemas import RANKS
from trml.evaluation.verdicts import Judged
from trml.features.contract import read_features
from trml.missing.conditions import Condition
from trml.report.dataset import Dataset
from trml.report.tables import claims as claim_tables
from trml.report.tables import main


@pytest.fixture
def inputs(tmp_path):
    return inputs_of(tmp_path)


def decided(inputs):
    return {claim.id: claim for claim in decide(Evaluation(inputs))}


# --- verdicts --------------------------------------------------------------------------------------------


def test_a_planted_winner_is_found(inputs, tmp_path):
    fill(inputs, scaled({"trml": 0.2}, 0.6))
    by_id = evaluated(inputs, tmp_path / "evaluation")
    assert by_id["C1"]["verdict"] == "supported"
    assert by_id["C3"]["verdict"] == "supported"
    assert all(c["low"] > 0 for c in by_id["C1"]["comparisons"])
    assert by_id["C1"]["text"] == "TRML beats each baseline with vision missing and with text missing, at each rate."


def test_a_planted_loser_is_refuted(inputs):
    fill(inputs, scaled({"trml": 0.6}, 0.2))
    by_id = decided(inputs)
    assert [by_id[name].verdict for name in ("C1", "C3", "C3b")] == ["refuted"] * 3


def test_equals_are_undecided(inputs):
    fill(inputs, lambda *_: 0.4)
    by_id = decided(inputs)
    assert (by_id["C1"].verdict, by_id["C3"].verdict) == ("undecided", "undecided")


def test_one_loss_among_wins_refutes(inputs):
    fill(inputs, lambda cell, _: {"trml": 0.3, "zero_fill": 0.1}.get(cell.spec.method, 0.9))
    assert decided(inputs)["C1"].verdict == "refuted"


@pytest.mark.parametrize(("error", "verdict"), [(0.05, "supported"), (0.9, "refuted")])
def test_near_the_upper_bound_is_within_the_margin(inputs, error, verdict):
    fill(inputs, lambda cell, _: error if cell.spec.method == "trml" else 0.05)
    claim = decided(inputs)["C2"]
    assert claim.verdict == verdict
    assert {c.label for c in claim.comparisons} == {f"two models, Setting {s}, p = 0.5" for s in "AB"}
    assert "Supervised-Double where nothing is missing, Supervised-Single where something is" in claim.how
    evaluation = Evaluation(inputs)
    bound = evaluation.predictions("supervised_double", Condition.matched("vision", 0.0))
    way = [evaluation.scores(evaluation.primary, p).value for p in (bound, evaluation.constant)]
    assert f"Near is within {0.05 * (way[1] - way[0]):.3f}: 5%" in claim.how


def test_a_difference_within_the_margin_refutes_no_nearness():
    """Significantly worse, and by less than the margin or not shown to be more: more data would find it equivalent."""
    statement = Statement("C", "", "", [], speaks_for=("equivalent", "better"), speaks_against=("worse",))
    sides = {
        (low, high): _side(statement, Judged(-0.03, low, high, 0.01, 0.9, 0.02, 0.037, "worse"))
        for low, high in ((-0.042, -0.017), (-0.2, -0.038))
    }
    assert list(sides.values()) == ["", "against"]
    assert _side(
        replace(statement, speaks_for=("better",)), Judged(-0.03, -0.042, -0.017, 0.01, 0.9, 0.02, 0.037, "worse")
    )


@pytest.mark.parametrize(("error", "verdict"), [(0.1, "supported"), (0.9, "refuted")])
def test_missing_frames_are_coped_with_or_not(tmp_path, error, verdict):
    inputs = inputs_of(tmp_path, replace(STUDY, victims=("vision", "frames")))
    fill(inputs, lambda _, present: error if present.startswith("frames@") else 0.1)
    claim = decided(inputs)["C5"]
    assert (claim.verdict, claim.figures) == (verdict, ["rates_frames"])
    assert claim.text == "TRML copes with missing frames."
    assert {c.rate for c in claim.comparisons} == {0.5}


@pytest.mark.parametrize(("ours", "theirs", "verdict"), [(0.2, 0.7, "supported"), (1.2, 0.2, "refuted")])
def test_training_on_complete_data_is_judged_at_every_rate(tmp_path, ours, theirs, verdict):
    """Then rate 1 counts too, and no training ever sees anything missing."""
    study = replace(STUDY, training="complete", complete=(), study_rate=1.0)
    inputs = inputs_of(tmp_path, study)
    assert {cell.spec.rate for cell in inputs.distinct_cells()} == {0.0}
    fill(inputs, lambda cell, _: ours if (cell.spec.method, cell.spec.variant) == ("trml", "default") else theirs)
    by_id = decided(inputs)
    assert set(by_id) == {"C1", "C3", "C3b"}
    assert [claim.verdict for claim in by_id.values()] == [verdict] * 3
    assert {c.rate for c in by_id["C1"].comparisons} == {0.5, 1.0}
    assert {c.rate for c in by_id["C3"].comparisons} == {1.0}
    assert "trained on complete data and evaluated at" in by_id["C1"].how


@pytest.mark.parametrize(("ours", "theirs", "verdict"), [(0.2, 0.7, "supported"), (1.2, 0.2, "refuted")])
def test_a_pattern_never_seen_is_judged_where_no_method_is_told_of_it(tmp_path, ours, theirs, verdict):
    """By models that were trained with the other modality missing, on every test utterance."""
    inputs = inputs_of(tmp_path, replace(STUDY, told=False))

    def error(cell, present):
        unseen = cell.spec.rate == 0.5 and present == cell.spec.missing  # alone there: what was missing in training
        return (ours if cell.spec.method == "trml" else theirs) if unseen else 0.4

    fill(inputs, error)
    claim = decided(inputs)["C1b"]
    assert claim.verdict == verdict
    assert [(c.against, c.victim, c.rate) for c in claim.comparisons] == [
        ("zero_fill", v, 1.0) for v in ("text", "vision")
    ]
    assert "C1b" not in decided(replace(inputs, study=STUDY))


def test_claims_that_an_experiment_cannot_decide_are_left_out(tmp_path):
    study = replace(STUDY, complete=(), methods=tuple(replace(m, variants=()) for m in METHODS))
    inputs = inputs_of(tmp_path, study)
    fill(inputs, lambda *_: 0.4)
    assert set(decided(inputs)) == {"C1"}
    nobody = replace(inputs, study=replace(study, methods=METHODS[1:]))
    assert decide(Evaluation(nobody)) == []


def test_missing_frames_are_not_judged_without_trainings_on_complete_data(tmp_path):
    study = with_sweep(replace(STUDY, rates=(0.5,), victims=("vision", "frames")))
    inputs = inputs_of(tmp_path, study)
    fill(inputs, lambda *_: 0.4)
    assert set(decided(inputs)) == {"C1", "C2", "C3", "C3b", "C6"}  # the upper bound is trained on complete data anyhow


@pytest.mark.parametrize(("moved", "verdict"), [(0.8, "supported"), (0.305, "refuted")])
def test_the_temperature_matters_or_does_not(tmp_path, moved, verdict):
    inputs = inputs_of(tmp_path, with_sweep(STUDY))
    features = read_features(inputs.features)
    rng = np.random.default_rng(3)
    noise = {split: rng.normal(size=len(features.rows(split))) for split in ("valid", "test")}
    for cell in inputs.distinct_cells():  # the same errors at two scales, far apart or nearly the same
        scale = moved if cell.spec.options.get("temperature") == SWEEP[1].options["temperature"] else 0.3
        label = features.index["label"].to_numpy()
        predictions = {
            (split, present): label[features.rows(split)] + scale * errors
            for split, errors in noise.items()
            for present in ("text+vision", "text", "vision")
        }
        write(cell, predictions, features)
    claim = decided(inputs)["C6"]
    assert (claim.verdict, claim.needs) == (verdict, "any")
    assert [c.label for c in claim.comparisons] == ["temperature 0.5"] * 2 + ["temperature 0.5, vision less text"]
    assert claim.comparisons[-1].victim == "both"


def test_the_matching_loss_is_judged_at_a_larger_weight_too(tmp_path):
    """Where a grid has the points: there its terms and its temperature matter, at the chosen weight they do not."""
    chosen = replace(PROPOSED, options={**PROPOSED.options, "weight": 0.01})
    grid = ({"weight": 0.5, "use_l_v": 0.0}, {"weight": 0.5, "temperature": 0.5})
    more = [StudyVariant(f"weight={w}", "", "sweep", {"weight": w}) for w in (0.0, 0.5)]
    more += [StudyVariant(str(point), "", "grid", point) for point in grid]
    loss = StudyVariant("no_l_v", "without l_v", "loss", {"use_l_v": 0.0})
    method = replace(chosen, variants=(loss, *SWEEP, *more))
    inputs = inputs_of(tmp_path, replace(STUDY, methods=(method, *STUDY.methods[1:])))
    fill(inputs, lambda cell, _: 0.9 if cell.spec.variant in (str(grid[0]), str(grid[1]), "weight=0.0") else 0.3)
    by_id = decided(inputs)
    at_half = {c.label: c.verdict for c in by_id["C3"].comparisons if c.label.endswith("weight 0.5")}
    assert at_half == {"without L_sml, weight 0.5": "better", "without l_v, weight 0.5": "better"}
    of_temperature = {c.label: c.verdict for c in by_id["C6"].comparisons if c.victim == "vision"}
    assert of_temperature["temperature 0.5, weight 0.5"] == "worse"
    assert of_temperature["temperature 0.5"] != "worse"


@pytest.mark.parametrize(("name", "purpose"), [("C7", "rotation"), ("C7b", "alignment")])
def test_an_aligned_space_is_what_helps(tmp_path, name, purpose):
    """The gain over the baselines is planted in the aligned space alone."""
    apart = inputs_of(tmp_path / "apart", replace(STUDY, dataset="apart", purpose=purpose))
    inputs = replace(inputs_of(tmp_path), others=(apart,))
    fill(apart, lambda *_: 0.5)
    fill(inputs, scaled({"trml": 0.2, "supervised_double": 0.5}, 0.6))
    assert {"C7", "C7b"} & set(decided(inputs)) == {name}
    claim = decided(inputs)[name]
    assert (claim.verdict, claim.figures) == ("supported", [purpose])
    assert {c.against for c in claim.comparisons} == {"supervised_single", "supervised_single_matched", "zero_fill"}
    assert claim.comparisons[0].label == "gain over Supervised-Single, aligned less unaligned"
    other = inputs_of(tmp_path / "other", apart.study, synthetic_features(seed=1, n=600))
    fill(other, lambda *_: 0.5)
    assert name not in decided(replace(inputs, others=(other,)))  # other labels: not to be compared


@pytest.mark.parametrize(
    ("ours", "raw", "verdict"),
    [(5, 50, "supported"), (50, 5, "refuted"), (25, 25, "refuted"), (5, None, "supported"), (95, None, "refuted")],
)
def test_virtual_vectors_find_their_partner_more_often_than_the_encoder_or_not(inputs, tmp_path, ours, raw, verdict):
    """Ranks are drawn about a mean; without ranks of the encoder's own features, chance takes their place."""
    fill(inputs, lambda *_: 0.4)
    rng, ids = np.random.default_rng(0), Evaluation(inputs).ids
    ranks = [
        {
            "victim": victim, "seed": seed, "utterance_id": name, "rank": float(rng.integers(1, 2 * ours)),
            "raw_rank": None if raw is None else float(rng.integers(1, 2 * raw)), "diagonal": 0.5, "off_diagonal": 0.1,
        }
        for victim in STUDY.single_victims for seed in STUDY.seeds for name in ids
    ]  # fmt: skip
    (tmp_path / "probes").mkdir()
    pl.DataFrame(ranks, schema=RANKS).write_parquet(tmp_path / "probes/ranks.parquet")
    claim = decided(replace(inputs, probes=tmp_path / "probes"))["C4"]
    assert claim.verdict == verdict
    assert {c.label for c in claim.comparisons} == {"a random order" if raw is None else "the encoder alone"}
    assert (claim.unit, claim.metric) == ("share", "")


# --- one file more ---------------------------------------------------------------------------------------

GUIDE = Path(__file__).parents[2] / "docs" / "adding_a_claim.md"


def guided():
    """Return the files that the guide has one write: path inside the package -> code."""
    parts = GUIDE.read_text().split("```python\n")
    paths = [re.findall(r"`trml_mylab/(\S+\.py)`:", part)[-1] for part in parts[:-1]]
    return dict(zip(paths, (part.partition("```")[0] for part in parts[1:]), strict=True))


def test_the_claim_and_the_metric_of_the_guide_are_one_file_each(inputs, tmp_path):
    files = guided()
    assert [path.split("/")[1] for path in files] == ["claims", "metrics"]
    fill(inputs, scaled({"trml": 0.2}, 0.6))
    with extension(tmp_path / "extension", files):
        by_id = evaluated(inputs, tmp_path / "evaluation")
    folder = tmp_path / "evaluation"
    assert list(by_id) == ["C1", "C2", "C3", "C3b", "W1"]
    assert (by_id["W1"]["verdict"], len(by_id["W1"]["comparisons"])) == ("supported", 6)
    metrics = read_json(folder / "metrics.json")
    assert metrics[-1] == {
        "name": "rmse", "label": "RMSE", "higher_is_better": False, "headline": True, "drawn": False,
    }  # fmt: skip
    assert metrics[0]["name"] == "mae"  # the primary stays
    for name in ("metrics", "summary", "matrix", "robustness"):
        assert "rmse" in pl.read_parquet(folder / f"{name}.parquet")["metric"], name
    data = Dataset(inputs_of_report(inputs, folder))
    (table,) = main.tables(data)
    assert "RMSE (lower is better)" in [title for title, _ in table.groups]
    assert "claim_w1" in [table.name for table in claim_tables.tables(data)]


def test_a_second_primary_metric_is_refused(inputs, tmp_path):
    code = guided()["evaluation/metrics/squared_error.py"].replace("headline=True", "primary=True")
    with (
        extension(tmp_path / "extension", {"evaluation/metrics/mine.py": code}),
        pytest.raises(
            ContractError, match=r"primary metrics of a regression are \['mae', 'rmse'\]; expected exactly one"
        ),
    ):
        metrics_of("regression", 0)
