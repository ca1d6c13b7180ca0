"""The plan: which trainings there are, and that a name changes exactly when its recipe does."""

import copy
from collections import Counter

import pytest
import yaml

from conftest import ROOT
from trml.config.compose import compose
from trml.config.load import check
from trml.methods.config import sweep_name
from trml.planning import handover, recipes
from trml.planning.compute import Compute, resolve_device
from trml.planning.grid import cell_spec, expand
from trml.planning.models import proposed_model
from trml.planning.plan import plans
from trml.planning.workflow import Workflow
from trml.training.contract import Training


def plan_of(raw):
    """The plan of the experiment's own dataset."""
    return plans(check(raw))[0]


@pytest.fixture
def plan(raw):
    return plan_of(raw)


def test_no_training_is_planned_twice(params, plan):
    seeds = len(params.protocol.seeds)
    counts = Counter(cell.spec.method for cell in plan.cells)
    assert counts["supervised_double"] == seeds  # depends on nothing
    assert counts["supervised_single"] == 2 * seeds  # on the victim
    # On the rate: complete is one training for both victims; Setting A has a dev split of its own.
    rates = len(params.protocol.rates) - 1
    of_rates = 1 + 2 * (rates + len(params.protocol.complete))
    assert counts["zero_fill"] == of_rates * seeds
    # And ablations and sweeps. Some stand for the default, or for each other.
    trml = params.methods["trml"]
    at_most = len(trml.variants) + sum(map(len, trml.sweeps.values()))
    assert of_rates < counts["trml"] / seeds <= of_rates + 2 * at_most
    assert len({cell.name for cell in plan.cells}) == len(plan.cells)
    in_blocks = sorted(cell.name for block in plan.blocks.values() for cell in block.cells)
    assert in_blocks == sorted(cell.name for cell in (*plan.cells, *plan.also))  # those of the regimes too
    assert max(len(b.cells) for b in plan.blocks.values()) <= params.training.block


def test_every_training_has_the_cell_that_stands_for_it(plan):
    assert {training for training, _ in expand(plan.params)} == set(plan.trainings)
    assert {cell.name for cell in plan.trainings.values()} == {cell.name for cell in plan.cells}
    complete = [cell for training, cell in plan.trainings.items() if training.rate == 0 and training.seed == 2020]
    assert {cell.spec.missing for cell in complete if cell.spec.method == "zero_fill"} == {None}


def test_a_swept_default_is_the_default_cell(plan):
    default = plan.trainings[Training("trml", "default", "text", 0.5, 0.5, 2020)]
    own = default.spec.options["temperature"]
    for value in plan.params.methods["trml"].sweeps["temperature"]:
        swept = plan.trainings[Training("trml", sweep_name("temperature", value), "text", 0.5, 0.5, 2020)]
        assert (swept is default) == (value == own)


def test_a_variant_that_moves_nothing_is_none(raw):
    raw["methods"]["trml"]["options"]["weight"] = 0.0
    assert not any(training.variant == "no_l_sml" for training in plan_of(raw).trainings)


def regimes_of(raw):
    own, *others = plans(check(raw))
    return own, {plan.dataset: plan for plan in others}


def test_regimes_share_what_they_can(raw):
    """A training of two regimes is one cell, and one block's."""
    own, others = regimes_of(raw)
    assert {plan.features for plan in others.values()} == {own.features}
    blocks = [cell.digest for plan in (own, *others.values()) for block in plan.blocks.values() for cell in block.cells]
    assert len(blocks) == len(set(blocks))
    complete = Training("mfm", "default", "vision", 0.0, 0.0, 2020)
    assert others["untold"].trainings[complete] == own.trainings[complete]
    wanted = {cell.digest for plan in others.values() for cell in plan.cells}
    assert wanted <= set(blocks)


def test_where_no_method_is_told_dropout_and_masked_views_are_off(raw):
    _, others = regimes_of(raw)
    for name in ("untold", "unseen"):
        defaults = {t.method: c.spec.options for t, c in others[name].trainings.items() if t.variant == "default"}
        assert defaults["trml"]["beta"] == 0
        assert {defaults[method]["drop"] for method in ("zero_fill", "mean_fill", "learned_token")} == {0}


@pytest.mark.parametrize(
    ("moved", "also_complete"),
    [({"labels": 40}, True), ({"label_noise": 0.3}, True), ({"absence": "by_label"}, False)],
    ids=["labels", "label_noise", "absence"],
)
def test_another_protocol_renames_cells_alone(raw, moved, also_complete):
    before = regimes_of(raw)[1]["unseen"]
    raw["datasets"]["unseen"]["protocol"].update(moved)
    after = regimes_of(raw)[1]["unseen"]
    assert after.features == before.features
    common = {cell.digest for cell in after.cells} & {cell.digest for cell in before.cells}
    assert {cell.spec.rate for cell in before.cells if cell.digest in common} == (set() if also_complete else {0.0})


def test_training_on_complete_data_trains_nothing_else(raw):
    raw["protocol"].update(training="complete", told=False, complete=[], rates=[0.0, 0.5, 1.0], study_rate=1.0)
    plan = plan_of(raw)
    assert {(t.rate, t.dev_rate) for t in plan.trainings} == {(0.0, 0.0)}
    assert {cell.spec.missing for cell in plan.cells if cell.spec.method == "trml"} == {None}
    assert {victim for _, victim, _ in plan.probed_cells} == {"vision", "text"}


def test_every_frame_missing_is_vision_missing(raw):
    raw["protocol"].update(victims=["vision", "text", "frames"], rates=[0.0, 0.5, 1.0])
    trainings = plan_of(raw).trainings
    whole, frames = (
        trainings[Training("zero_fill", "default", victim, 1.0, 1.0, 2020)] for victim in ("vision", "frames")
    )
    assert whole is frames
    half = trainings[Training("zero_fill", "default", "frames", 0.5, 0.5, 2020)]
    assert half.spec.missing == "frames"


def test_a_method_shaped_by_its_victim_is_not_trained_under_a_random_one(raw):
    raw["protocol"]["victims"] = ["vision", "text", "random_modality"]
    trainings = plan_of(raw).trainings
    victims = {t.method: {u.victim for u in trainings if u.method == t.method} for t in trainings}
    assert "random_modality" not in victims["supervised_single"]
    assert "random_modality" in victims["zero_fill"]


def names(raw):
    plan = plan_of(raw)
    return {
        "corpus": plan.corpus.name,
        "encoder": plan.encoder.name,
        "features": plan.features.name,
        "cells": {c.name for c in plan.cells},
        "probes": plan.probes.name,
        "evaluation": plan.evaluation.name,
        "results": plan.results.name,
    }


def test_a_wider_sweep_keeps_every_cell(raw):
    before = names(raw)
    raw["methods"]["trml"]["sweeps"]["temperature"].append(2.0)
    after = names(raw)
    assert before["cells"] < after["cells"]
    assert len(after["cells"] - before["cells"]) == 2 * len(raw["protocol"]["seeds"])
    assert before["results"] != after["results"]


def test_a_whole_number_is_the_same_as_with_a_point(raw):
    raw["methods"]["trml"]["options"]["temperature"] = 1
    plan = plan_of(raw)
    training = Training("trml", sweep_name("temperature", 1.0), "text", 0.5, 0.5, 2020)
    swept = plan.cell(cell_spec(plan.params, training, {"temperature": 1.0}))
    default = plan.trainings[training._replace(variant="default")]
    assert swept.digest == default.digest
    assert swept.digest in {cell.digest for cell in plan.cells}


def test_report_settings_touch_no_cell_and_data_settings_touch_all(raw):
    before = names(raw)
    raw["report"]["conditions"] = [0.5]
    report = names(raw)
    assert (report["cells"], report["features"]) == (before["cells"], before["features"])
    raw["corpus"]["seed"] = 2
    other = names(raw)
    assert other["corpus"] != before["corpus"]
    assert not other["cells"] & before["cells"]


def test_what_the_report_alone_shows_touches_the_results_alone(raw):
    before = names(raw)
    raw["report"]["conditions"] = [0.5]
    after = names(raw)
    assert {key for key in before if before[key] != after[key]} == {"results"}


def test_where_data_lie_is_not_in_a_recipe(raw):
    before = names(raw)
    raw["data"], raw["accept_terms"] = "elsewhere", ["meld"]
    assert names(raw) == before


@pytest.mark.parametrize("changes", [{"threads": 2}, {"device": "cuda"}, {"portable": True}])
def test_threads_instructions_and_kind_of_device_rename_what_torch_computes(raw, changes):
    raw["device"] = "cpu"
    before = names(raw)
    raw.update(changes)
    after = names(raw)
    assert after["corpus"] == before["corpus"]
    assert not after["cells"] & before["cells"]
    for key in ("encoder", "features", "probes", "evaluation", "results"):
        assert after[key] != before[key], key


def test_a_device_of_auto_is_resolved_without_torch(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("trml.planning.compute._DRIVER", (str(ROOT / "Snakefile"),))  # any file that exists
    monkeypatch.setattr("trml.planning.compute.version", lambda _: "2.0.0")
    assert resolve_device("auto") == "cuda"
    assert resolve_device("cpu") == "cpu"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert resolve_device("auto") == "cpu"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("trml.planning.compute.version", lambda _: "2.0.0+cpu")
    assert resolve_device("auto") == "cpu"
    monkeypatch.setattr("trml.planning.compute.version", lambda _: "2.0.0")
    monkeypatch.setattr("trml.planning.compute._DRIVER", ("/nowhere",))
    assert resolve_device("auto") == "cpu"


def with_another(raw):
    """The configuration with a second dataset: other weights, the same encoder."""
    corpus = {**copy.deepcopy(raw["corpus"]), "name": "other", "seed": 2}
    raw["datasets"] = {"other": {"corpus": corpus, "encoder": copy.deepcopy(raw["encoder"])}}
    return raw


def test_several_datasets_are_several_plans(raw):
    alone = plan_of(raw)
    first, second = plans(check(with_another(raw)))
    assert first.corpus == alone.corpus
    assert [c.name for c in first.cells] == [c.name for c in alone.cells]  # what is trained already serves here too
    assert second.corpus != alone.corpus
    assert not {c.digest for c in first.cells} & {c.digest for c in second.cells}
    assert (alone.name, first.name, second.name) == ("pantomime", "pantomime", "pantomime-other")
    assert first.others == (second,)
    assert first.results != alone.results  # the page of an experiment tells of all its datasets
    assert first.evaluation != alone.evaluation
    assert (second.probes, second.results) == (None, None)


def test_a_second_dataset_equals_an_experiment_of_its_own(raw):
    raw["studies"] = True
    second = plans(check(with_another(copy.deepcopy(raw))))[1]
    raw["corpus"] = {**raw["corpus"], "name": "other", "seed": 2}
    assert [c.name for c in second.cells] == [c.name for c in plan_of(raw).cells]


def test_how_cells_are_put_together_moves_no_digest(raw):
    before = [cell.digest for cell in plan_of(raw).cells]
    raw["training"].update(chunk=3, block=7)
    assert [cell.digest for cell in plan_of(raw).cells] == before


def test_stress_has_five_thousand_trainings():
    every = plans(check(yaml.safe_load(compose(["experiment=stress"], ROOT / "config"))))
    assert len(every) == 3
    assert sum(len(plan.cells) for plan in every) > 5000


def test_each_stage_is_handed_what_its_recipe_names(raw):
    own, other = plans(check(with_another(raw)))
    block = next(iter(own.blocks.values()))
    job = handover.block_job(own, block)
    assert (job.cells, job.features, job.finished) == (block.cells, own.features, (block.done, block.weights))
    assert (job.threads, job.device) == (own.compute.threads, own.compute.device)
    evaluation = handover.evaluation_inputs(own)
    assert (evaluation.probes, [each.study.dataset for each in evaluation.others]) == (own.probes, ["other"])
    assert evaluation.probed_cells() == own.probed_cells
    assert handover.probe_inputs(own).frames == raw["encoder"]["frames"]
    report = handover.report_inputs(own)
    assert report.digest == own.results.name
    assert report.others[0].evaluation == other.evaluation
    assert report.params["datasets"].keys() == {"other"}
    # The recipe of the results names every field that the report reads.
    fields = {key for key in vars(report) if key not in ("digest", "params", "others", "corpus", "features")}
    assert fields == own.reported().keys()


def test_trainings_differ_by_threads_in_their_recipe_alone(plan):
    settings = handover.block_job(plan, next(iter(plan.blocks.values()))).settings
    digests = {
        recipes.CellDigests(settings, "features", Compute(device, threads), plan.params.modalities)(plan.cells[0].spec)
        for device in ("cpu", "cuda")
        for threads in (1, 2)
    }
    assert len(digests) == 4


def test_dvc_keeps_a_model_of_the_proposed_method_whose_weights_stay(raw, plan):
    path, cell = proposed_model(plan)
    assert path.parent.name == "models" and path.name.startswith("trml-")
    spec = cell.spec
    assert (spec.method, spec.variant, spec.rate, spec.seed) == ("trml", "default", 0.0, plan.study.seeds[0])
    assert cell.digest in plan.restored
    raw["methods"]["trml"]["role"] = "baseline"
    assert proposed_model(plan_of(raw)) is None


def test_a_whole_run_that_leaves_something_undone_goes_on_once(tmp_path, monkeypatch):
    """As Snakemake was seen to do after a kill; a run of some targets leaves the rest undone by intention."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRML_PARAMS", "x")  # so that it is put back
    monkeypatch.setenv("TRML_GOING_ON", "1")
    started = []
    monkeypatch.setattr("os.execv", lambda *command: started.append(command))
    run = Workflow(str(ROOT / "params.yaml"), is_main=False)
    run.end_well(whole=True)  # it went on before
    monkeypatch.delenv("TRML_GOING_ON")
    run.end_well(whole=False)
    assert started == []
    run.end_well(whole=True)
    run.end_well(whole=True)
    assert [command[1][1:3] for command in started] == [["-m", "snakemake"]]
    monkeypatch.delenv("TRML_GOING_ON")
    monkeypatch.setattr(Workflow, "everything", lambda _: [tmp_path])
    run.end_well(whole=True)
    assert len(started) == 1
