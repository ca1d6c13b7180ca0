"""What of work/ a configuration reaches: the rest is collected or set aside, and comes back by name."""

import re
import shutil

import pytest
import yaml

from helpers.command import ended
from helpers.planned_cells import fill, small_plan, small_raw
from trml.base.artifacts import write_json
from trml.cli.main import main
from trml.config.load import check
from trml.planning.attic import bring_back, set_aside, unreachable
from trml.planning.plan import plans
from trml.training.store import RECORDS, cells_of, is_done, shard_of


@pytest.fixture
def plan(raw, tmp_path):
    plan = small_plan(raw, tmp_path)
    fill(plan)
    return plan


def test_only_what_the_configuration_cannot_reach_is_collected(plan):
    for block in plan.blocks.values():
        write_json(block.done, {})
    assert unreachable([plan], work=plan.work) == []
    stray = plan.cell_store / "trml-0123456789ab"
    shutil.copytree(shard_of(plan.cells[0]), stray)
    write_json(stray / RECORDS, {"0123456789ab": {}})
    leftover = plan.work / "features" / ".half.abc"
    leftover.mkdir(parents=True)
    assert set(unreachable([plan], work=plan.work)) == {stray, leftover}
    assert unreachable([plan], ["features"], plan.work) == [leftover]


def test_artifacts_set_aside_come_back_by_name(plan, raw):
    narrow = small_raw(raw)
    narrow["protocol"]["seeds"] = [1, 2]
    narrower = plans(check(narrow), plan.work)[0]
    before = {path: path.stat().st_mtime_ns for path in plan.cell_store.rglob(RECORDS)}
    aside = unreachable([narrower], ["cells"], plan.work)
    others = {cell.digest for cell in plan.cells} - {cell.digest for cell in narrower.cells}
    assert aside and all({*cells_of(shard)} <= others for shard in aside)
    for path in aside:
        set_aside(path, plan.work)
    assert unreachable([narrower], ["cells"], plan.work) == []
    bring_back([plan], plan.work)
    assert {path: path.stat().st_mtime_ns for path in plan.cell_store.rglob(RECORDS)} == before


def test_gc_keeps_what_is_published_and_asks(plan, raw, tmp_path, monkeypatch, capsys):
    """Of two configurations the one that is not in force was published, in part: its cells and corpus stay."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRML_PARAMS", raising=False)
    narrow = small_raw(raw)
    narrow["protocol"]["seeds"] = [1, 2]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(narrow))
    needed = {cell.digest for cell in plans(check(narrow), plan.work)[0].cells}
    outside = [block for block in plan.blocks.values() if not needed & {cell.digest for cell in block.cells}]
    assert len(outside) > 2
    kept, lost = [outside[0].cells[0]], outside[1:]  # one published cell keeps its whole shard
    corpus, other = plan.work / "corpora/once-0123456789ab", plan.work / "corpora/never-0123456789ab"
    for folder in (corpus, other, plan.work / "attic/corpora/once-ba9876543210"):
        folder.mkdir(parents=True)
    published = tmp_path / "results/wide"
    made_from = {"corpus": corpus.name, "further": {"x": {"corpus": "once-ba9876543210"}}}
    write_json(published / "manifest.json", {"digest": "wide-0", "made_from": made_from})
    (published / "metrics.csv").write_text("cell,value\n" + "".join(f"{cell.digest},1\n" for cell in kept))

    def gc(*arguments):
        main(["gc", *arguments])
        return capsys.readouterr().out

    assert f"would remove {len(lost) + 1} paths" in gc("--dry-run")
    code, _, err = ended(capsys, "gc")  # there is no terminal to ask on
    assert code == 1
    assert re.search(r"nothing was removed\nTo remove .* without a question: trml gc --yes", err)
    assert other.exists()
    assert f"removed {len(lost) + 1} paths" in gc("--yes")
    assert not other.exists()
    assert corpus.exists()
    assert (plan.work / "attic/corpora/once-ba9876543210").exists()
    gone = {cell.digest for block in lost for cell in block.cells}
    assert {cell.digest for cell in plan.cells if not is_done(cell)} == gone
