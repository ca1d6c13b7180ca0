"""The plan: which trainings there are, and that a name changes exactly when its recipe does."""

import copy
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from trml.config.compose import compose
from trml.config.load import check
from trml.methods.config import sweep_name
from trml.planning.plan import Plan, plans
from trml.planning.source_digest import _closure

METHODS = yaml.safe_load((ROOT / "params.yaml").read_text())["methods"]


def test_no_training_is_planned_twice(params):
    plan = Plan(params)
    seeds = len(params.protocol.seeds)
    counts = Counter(cell.method for cell in plan.cells)
    assert counts["supervised_double"] == seeds  # depends on nothing
    assert counts["supervised_single"] == 2 * seeds  # on the victim
    # On the rate: complete is one training for both victims; Setting A has a dev split of its own, twice.
    rates = len(params.protocol.rates) - 1
    of_rates = 1 + 2 * (rates + 2)
    assert counts["zero_fill"] == of_rates * seeds
    # And ablations and sweeps, whose defaults are the default.
    assert counts["trml"] == (of_rates + 2 * (len(params.methods["trml"].variants) + 7)) * seeds
    assert len({cell.name for cell in plan.cells}) == len(plan.cells)
    assert sorted(c.name for b in plan.blocks.values() for c in b.cells) == sorted(c.name for c in plan.cells)
    assert max(len(b.cells) for b in plan.blocks.values()) <= params.training.block


def test_a_swept_default_is_the_default_cell(params):
    plan = Plan(params)
    default = plan.cell("trml", "default", "text", 0.5, 0.5, 2020)
    assert plan.cell("trml", sweep_name("temperature", 0.07), "text", 0.5, 0.5, 2020).digest == default.digest
    assert plan.cell("trml", sweep_name("temperature", 0.1), "text", 0.5, 0.5, 2020).digest != default.digest


def names(raw):
    plan = Plan(check(raw))
    return {
        "corpus": plan.corpus.name,
        "features": plan.features.name,
        "cells": {c.name for c in plan.cells},
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
    plan = Plan(check(raw))
    swept = plan.cell("trml", sweep_name("temperature", 1.0), "text", 0.5, 0.5, 2020)
    assert swept.digest == plan.cell("trml", "default", "text", 0.5, 0.5, 2020).digest
    assert swept.digest in {cell.digest for cell in plan.cells}


def test_a_method_outside_the_package_is_followed_through_its_imports(raw, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "outside_helper.py").write_text("SCALE = 1.0\n")
    (tmp_path / "outside_method.py").write_text(
        "from trml.methods.zero_fill import ZeroFill\nfrom outside_helper import SCALE\n\n\n"
        "class Outside(ZeroFill):\n    def __init__(self, shape, *, hidden: int):\n"
        "        super().__init__(shape, hidden=hidden, drop=0.1 * SCALE)\n"
    )
    assert {"outside_method", "outside_helper", "trml.methods.zero_fill"} <= _closure(("outside_method",))
    assert not {"torch", "numpy", "dataclasses"} & _closure(("outside_method", "trml.training.trainer"))


def test_report_settings_touch_no_cell_and_data_settings_touch_all(raw):
    before = names(raw)
    raw["report"]["resamples"] = 6000
    report = names(raw)
    assert (report["cells"], report["features"]) == (before["cells"], before["features"])
    raw["corpus"]["seed"] = 2
    other = names(raw)
    assert other["corpus"] != before["corpus"]
    assert not other["cells"] & before["cells"]


def test_where_data_lie_and_which_device_runs_are_not_in_the_recipe(raw):
    before = names(raw)
    raw["data"], raw["device"] = "elsewhere", "cpu"
    assert names(raw) == before


def with_another(raw):
    """The configuration with a second dataset: other weights, the same encoder."""
    corpus = {**copy.deepcopy(raw["corpus"]), "name": "other", "seed": 2}
    raw["also"] = {"other": {"corpus": corpus, "encoder": copy.deepcopy(raw["encoder"])}}
    return raw


def test_several_datasets_are_several_plans(raw):
    alone = Plan(check(raw))
    first, second = plans(check(with_another(raw)))
    assert first.corpus == alone.corpus
    assert [c.name for c in first.cells] == [c.name for c in alone.cells]  # what is trained already serves here too
    assert second.corpus != alone.corpus
    assert not {c.digest for c in first.cells} & {c.digest for c in second.cells}
    assert (alone.name, first.name, second.name) == ("pantomime", "pantomime", "pantomime-other")
    assert first.others == (second,)
    assert first.results != alone.results  # the page of an experiment tells of all its datasets
    assert first.evaluation != alone.evaluation


def test_a_second_dataset_equals_an_experiment_of_its_own(raw):
    second = plans(check(with_another(copy.deepcopy(raw))))[1]
    raw["corpus"] = {**raw["corpus"], "name": "other", "seed": 2}
    assert [c.name for c in second.cells] == [c.name for c in Plan(check(raw)).cells]


def test_how_cells_are_put_together_moves_no_digest(raw):
    before = [cell.digest for cell in Plan(check(raw)).cells]
    raw["training"].update(chunk=3, block=7)
    assert [cell.digest for cell in Plan(check(raw)).cells] == before


def test_stress_has_five_thousand_trainings(default_raw):
    found = plans(check(yaml.safe_load(compose(["experiment=stress"], ROOT / "config"))))
    assert len(found) == 3
    assert sum(len(plan.cells) for plan in found) > 5000


PROGRAM = """
from trml.config import load
from trml.plan import Plan, sweep_name
from trml.source import _closure
plan = Plan(load("params.yaml"))
cells = {}
for cell in plan.cells:
    cells.setdefault(cell.method, []).append(cell.digest)
import json
stages = {"corpus": plan.corpus.name, "features": plan.features.name, "evaluation": plan.evaluation.name}
print(json.dumps({**stages, **cells}))
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the source whose plan can be asked again after an edit."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "params.yaml", tmp_path)

    def ask():
        import json

        environment = {"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    return tmp_path / "src" / "trml", ask


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def changed(before, after):
    return {key for key in before if before[key] != after[key]}


def test_editing_comments_docstrings_and_layout_retrains_nothing(checkout):
    source, ask = checkout
    before = ask()
    for path in source.rglob("*.py"):
        path.write_text("# a comment\n" + path.read_text())
    edit(source / "objectives/matching.py", '"""Symmetric InfoNCE', '"""Another docstring. Symmetric InfoNCE')
    edit(source / "training/optimizer.py", "grad(losses.sum(), ", "grad(losses.sum(\n        ), ")
    assert changed(before, ask()) == set()


def test_editing_a_loss_retrains_the_methods_that_use_it(checkout):
    source, ask = checkout
    before = ask()
    edit(source / "objectives/matching.py", "(forward + backward) / 2", "(forward + backward) / 3")
    assert changed(before, ask()) == {"trml", "evaluation"}


@pytest.mark.parametrize(
    ("module", "old", "new", "stages"),
    [
        ("report/figures.py", "alpha=0.1", "alpha=0.2", set()),
        ("store.py", "[:12]", "[:12].lower()", set()),
        ("evaluation/metrics.py", "1e-12", "1e-13", {"evaluation"}),
        (
            "layers/generators.py",
            "hidden + self",
            "2 * hidden + self",
            {"trml", "supervised_single", "supervised_single_matched", "evaluation"},
        ),
        (
            "training/schedule.py",
            "0.5 * (1",
            "0.4 * (1",
            {*METHODS, "evaluation"},
        ),
        (
            "corpora/pantomime/face.py",
            "4.5 * brow",
            "5.5 * brow",
            {*METHODS, "corpus", "features", "evaluation"},
        ),
    ],
)
def test_an_edit_reaches_what_it_changes_and_no_more(checkout, module, old, new, stages):
    source, ask = checkout
    before = ask()
    edit(source / module, old, new)
    assert changed(before, ask()) == stages
