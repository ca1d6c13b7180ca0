"""What of work/ a configuration reaches: the rest is collected or set aside, and comes back by name."""

import shutil

import pytest

from helpers.planned_cells import fill, small_plan, small_raw
from trml.base.artifacts import write_json
from trml.config.load import check
from trml.planning.attic import bring_back, set_aside, unreachable
from trml.planning.plan import plans


@pytest.fixture
def plan(raw, tmp_path):
    plan = small_plan(raw, tmp_path)
    fill(plan.cells)
    return plan


def test_only_what_the_configuration_cannot_reach_is_collected(plan):
    for block in plan.blocks.values():
        write_json(block.path, {})
    assert unreachable([plan], work=plan.work) == []
    stray = plan.cells[0].folder.with_name("default-none-0-1-0123456789ab")
    shutil.copytree(plan.cells[0].folder, stray)
    leftover = plan.work / "features" / ".half.abc"
    leftover.mkdir(parents=True)
    assert set(unreachable([plan], work=plan.work)) == {stray, leftover}
    assert unreachable([plan], ["features"], plan.work) == [leftover]


def test_artifacts_set_aside_come_back_by_name(plan, raw):
    narrow = small_raw(raw)
    narrow["protocol"]["seeds"] = [1, 2]
    narrower = plans(check(narrow), plan.work)[0]
    before = {path: path.stat().st_mtime_ns for path in plan.cell_store.rglob("cell.json")}
    aside = unreachable([narrower], ["cells"], plan.work)
    assert len(aside) == len(plan.cells) - len(narrower.cells) > 0
    for path in aside:
        set_aside(path, plan.work)
    assert unreachable([narrower], ["cells"], plan.work) == []
    bring_back([plan], plan.work)
    assert {path: path.stat().st_mtime_ns for path in plan.cell_store.rglob("cell.json")} == before
