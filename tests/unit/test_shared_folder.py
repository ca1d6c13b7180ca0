"""Several machines write one work/: the same name twice at once, a file system without locks, devices that differ."""

import errno
import fcntl
import os
import shutil

import pytest

from conftest import ROOT
from trml.base.artifacts import damage, new_folder, write_text
from trml.base.errors import TrmlError
from trml.base.lock import alone, try_lock
from trml.planning import recipes
from trml.planning.compute import FOUND, resolve_device
from trml.planning.plan import plans
from trml.planning.workflow import Workflow


@pytest.mark.parametrize("at", ["before", "between"])
def test_two_jobs_may_finish_the_same_folder_at_once(tmp_path, monkeypatch, at):
    """A job that a killed run left on another machine is the second."""
    target = tmp_path / "made-abc"

    def other():
        with new_folder(target, "whole.json") as folder:
            write_text(folder / "whole.json", "the same")

    if at == "between":  # the first has removed what was there, and not yet put its own in place
        remove = shutil.rmtree

        def removed_and_made(path, **options):
            remove(path, **options)
            if path == target:
                monkeypatch.setattr("shutil.rmtree", remove)
                other()

        monkeypatch.setattr("shutil.rmtree", removed_and_made)
    with new_folder(target, "whole.json") as folder:
        write_text(folder / "whole.json", "the same")
        if at == "before":
            other()
    assert damage(target) is None
    assert [path.name for path in tmp_path.iterdir()] == ["made-abc"]


def test_a_folder_that_cannot_be_put_in_place_is_an_error(tmp_path, monkeypatch):
    target = tmp_path / "made-abc"
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # it cannot be removed
    target.mkdir()
    (target / "rest").write_text("left over")
    with pytest.raises(OSError, match="not empty"), new_folder(target, "whole.json") as folder:
        write_text(folder / "whole.json", "x")


def test_processes_of_two_machines_do_not_share_a_temporary_file(tmp_path, monkeypatch):
    """They may have the same number."""
    names = []
    replace = type(tmp_path).replace
    monkeypatch.setattr(
        type(tmp_path), "replace", lambda path, target: names.append(path.name) or replace(path, target)
    )
    for machine in ("n1", "n2"):
        monkeypatch.setattr("platform.node", lambda machine=machine: machine)
        write_text(tmp_path / "digests.json", "{}")
    assert len(set(names)) == 2


def no_locks(*_):
    raise OSError(errno.ENOLCK, "No locks available")


def test_without_locks_work_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with alone(tmp_path / "archive"):
        pass
    assert list(tmp_path.iterdir()) == []


def started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRML_PARAMS", "x")  # so that it is put back
    run = Workflow(str(ROOT / "params.yaml"), is_main=False)
    run.start()
    return run


def test_a_run_that_cannot_lock_its_folder_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fcntl, "flock", no_locks)
    started(tmp_path, monkeypatch)
    assert "cannot be locked here (No locks available)" in "".join(capsys.readouterr())


def test_a_second_run_learns_where_the_first_is(tmp_path, monkeypatch):
    run = started(tmp_path, monkeypatch)
    with pytest.raises(SystemExit, match=rf"another run .* \(process {os.getpid()} on "):
        Workflow(run.params, is_main=False).start()
    run._lock.close()
    with (tmp_path / "work/.lock").open("a") as handle:
        assert try_lock(handle)


def test_jobs_take_auto_for_the_device_of_the_machine_where_the_run_started(monkeypatch):
    for found in ("cpu", "cuda"):
        monkeypatch.setenv(FOUND, found)
        assert resolve_device("auto") == found
        assert (resolve_device("cpu"), resolve_device("cuda")) == ("cpu", "cuda")


def test_a_name_that_no_plan_has_is_an_error(tmp_path, monkeypatch):
    run = started(tmp_path, monkeypatch)
    with pytest.raises(TrmlError, match=r"block zero_fill-0123 is not in the plan .* trml status --folders --params"):
        run.block("zero_fill-0123")
    with pytest.raises(TrmlError, match="corpus folder pantomime-0123 is not in the plan"):
        run.plan_with("corpus", "pantomime-0123")


def test_a_plan_digests_source_once_a_method_not_once_a_cell(params, monkeypatch):
    """A hundred thousand cells: 42 of 78 s."""
    recipes.source_of_cells.cache_clear()
    asked, digest = [], recipes.source_digest
    monkeypatch.setattr(recipes, "source_digest", lambda *modules: asked.append(modules) or digest(*modules))
    plan = plans(params)[0]
    assert len(plan.cells) > 100
    of_cells = [modules[0] for modules in asked if "trml.training.trainer" in modules]
    assert sorted(of_cells) == sorted({cell.spec.target.rpartition(".")[0] for cell in plan.cells})
