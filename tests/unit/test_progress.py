"""How far an experiment is, from the files of work/ alone; and the lines of a run."""

import io
import json
import os
import platform
import re
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from trml.base.artifacts import write_json
from trml.base.lock import try_lock
from trml.cli.composing import Asked
from trml.cli.display import Display
from trml.cli.output import aligned, emit
from trml.cli.watching import foresee, status_lines
from trml.config.compose import compose
from trml.config.load import check
from trml.planning.plan import plans
from trml.planning.progress import Progress, Stage, progress, run_at_work
from trml.training.store import RECORDS

SMALL = ["method=[trml,zero_fill]", "protocol.seeds=[1,2]", "~datasets.untold", "studies=false"]
AHEAD = 2**31  # a time after every file of a test


@pytest.fixture
def planned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return plans(check(yaml.safe_load(compose(SMALL, ROOT / "config"))))


def train(cells, failed=None):
    """Put records of cells into the store, each trained in two seconds."""
    for cell in cells:
        shard = cell.store / f"{cell.spec.method}-{cell.digest}"
        shard.mkdir(parents=True)
        write_json(shard / RECORDS, {cell.digest: {"failed": failed, "wall_s": 2.0}})


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def at_work():
    """A run in this folder: this process holds the lock."""
    lock = write(Path("work/.lock"), f"process {os.getpid()} on {platform.node()}")
    write(Path("work/logs/run-20260101-000000.log"))
    with lock.open("a") as handle:
        assert try_lock(handle)
        yield lock


def test_before_anything_all_of_it_is_left(planned):
    found = progress(planned, "params.yaml")
    assert (found.experiment, found.state, found.run, found.page) == (planned[0].named.published, "idle", None, None)
    assert {stage.stage: stage.total for stage in found.stages} == {
        **{"corpora": 1, "encoders": 1, "features": 1, "evaluation": 4, "report": 1},
        "training": len({cell.digest for plan in planned for block in plan.blocks.values() for cell in block.cells}),
    }
    assert all(stage.left == stage.total and not stage.done for stage in found.stages)
    assert sum(method.total for method in found.methods) == found.of("training").total


def test_what_is_done_stays_so_without_a_run(planned):
    own = planned[0]
    write(own.corpus / "corpus.json")
    write(own.features / "features.json")  # which an encoder was trained for
    cells = [cell for block in own.blocks.values() for cell in block.cells]
    train(cells[:3])
    train(cells[3:4], failed="the loss is not finite")
    found = progress(planned, "params.yaml")
    assert [found.of(each).done for each in ("corpora", "encoders", "features")] == [1, 1, 1]
    assert (found.state, found.of("training").done, found.of("training").left) == ("failed", 4, len(cells) - 4)
    assert found.failed == [
        {"what": f"cell {cells[3].name}", "reason": "the loss is not finite", "log": None},
    ]
    assert found.seconds_left is None  # nobody works on it


def test_a_run_of_another_experiment_is_not_taken_for_this_one(planned, at_work):
    at_work.write_text(f"process {os.getpid()} on {platform.node()} for another")
    found = progress(planned, "params.yaml")
    assert found.state == "idle" and found.run["experiment"] == "another"
    assert "idle. Another run is at work here: another, process" in status_lines(found)[0]
    at_work.write_text(f"process {os.getpid()} on {platform.node()} for {planned[0].named.published}")
    assert progress(planned, "params.yaml").state == "running"


def test_a_run_is_seen_with_its_jobs_and_the_time_left(planned, at_work):
    blocks = list(planned[0].blocks.values())
    first, second = blocks[0], blocks[-1]
    train(first.cells[:2])
    write(Path(f"work/logs/blocks/{first.name}.log"), "block x: 2 of 9 cells are in the store\n")
    write(Path(f"work/logs/blocks/{second.name}.log"), "trml train: the disk is full; finished work is kept. Free\n")
    fault = "trml encode: clip a.mp4 cannot be decoded\nExpected a video\n"
    write(Path(f"work/logs/features/{planned[0].features.name}.log"), fault)
    found = progress(planned, "params.yaml")
    assert (found.state, found.run["pid"], found.run["log"]) == (
        "running",
        os.getpid(),
        "work/logs/run-20260101-000000.log",
    )
    training = found.of("training")
    at_work_now = {cell.digest for cell in first.cells} - {cell.digest for cell in first.cells[:2]}
    assert (training.done, training.running) == (2, len(at_work_now) + len(second.cells))  # a stop is no failure
    assert [each["reason"] for each in found.failed] == ["clip a.mp4 cannot be decoded"]
    assert found.of("features").failed == 1
    left = training.total - 2
    assert found.seconds_left == pytest.approx(left * 2.0 / 2)  # two seconds each, two blocks at work
    assert f"{found.experiment}: running, about" in status_lines(found)[0]
    assert any(line.startswith("failed  features ") for line in status_lines(found))


def test_the_time_left_starts_from_what_was_measured_in_running_blocks(planned, at_work):
    """The first trainings of a block may be done after many minutes; its log says how far it is."""
    blocks = list(planned[0].blocks.values())
    first, second = (Path(f"work/logs/blocks/{block.name}.log") for block in (blocks[0], blocks[-1]))
    size = len(blocks[0].cells)
    begun = f"block {blocks[0].name}: 0 of {size} cells are in the store, {size} to train\n"
    write(first, begun)
    write(second, begun)
    assert progress(planned, "params.yaml").seconds_left is None  # nothing is known yet
    old, now = (f"block {blocks[0].name}, cells: {words} s to go\n" for words in ("9/10, about 7", "0/10, about 5000"))
    write(first, begun + old + begun + now)
    found = progress(planned, "params.yaml")
    assert (found.of("training").done, found.of("training").running) == (0, size + len(blocks[-1].cells))
    assert found.seconds_left >= 4990  # as that block says, however many jobs share the rest
    write(second, begun + f"block {blocks[-1].name}, cells: 5/10, about 10 s to go\n")
    train([cell for block in blocks[1:-1] for cell in block.cells])
    assert found.seconds_left > progress(planned, "params.yaml").seconds_left >= 4990


def test_a_log_of_an_earlier_run_says_nothing_of_this_one(planned, at_work):
    log = write(Path(f"work/logs/blocks/{next(iter(planned[0].blocks))}.log"), "trml train: nothing works\n")
    os.utime(log, (1, 1))
    os.utime(at_work, (AHEAD, AHEAD))
    found = progress(planned, "params.yaml")
    assert (found.of("training").running, found.of("training").failed, found.failed) == (0, 0, [])


def test_what_was_never_started_is_idle_though_it_shares_trainings_that_are_done(planned):
    blocks = list(planned[0].blocks.values())
    write(planned[0].corpus / "corpus.json")
    train(blocks[0].cells)
    assert progress(planned, "params.yaml").state == "idle"
    write(Path(f"work/logs/blocks/{blocks[0].name}.log"))
    assert progress(planned, "params.yaml").state == "stopped"


def test_a_dry_run_for_another_folder_shows_that_folder(planned, at_work, tmp_path, capsys):
    """Whatever runs in this one."""
    write(Path("params.yaml"), compose(SMALL, ROOT / "config"))
    Path("config").symlink_to(ROOT / "config")
    train(planned[0].cells[:3])
    for into, done in ((Path("there"), 0), (tmp_path / "there", 0), (None, 3)):
        assert foresee(Asked.of([], None, {}), None, into, as_json=True) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["run"] is None, found["state"]) == ((True, "idle") if into else (False, "running"))
        assert next(each["done"] for each in found["stages"] if each["stage"] == "training") == done
    assert not Path("there").exists()


def test_a_run_that_was_killed_is_none(planned):
    write(
        Path("work/.lock"), f"process {os.getpid()} on {platform.node()}"
    )  # alive, without the lock: another's number
    assert run_at_work() is None
    write(Path("work/.lock"), f"process {2**22 + 1} on {platform.node()}")
    assert run_at_work() is None


def test_published_results_of_this_recipe_are_the_end(planned):
    own = planned[0]
    folder = Path("results") / own.named.published
    write(folder / "report/index.html")
    write_json(folder / "manifest.json", {"digest": "of another recipe"})
    assert progress(planned, "params.yaml").state == "idle"
    assert status_lines(progress(planned, "params.yaml"))[-1].endswith("(of an earlier run)")
    write_json(folder / "manifest.json", {"digest": own.results.name})
    found = progress(planned, "params.yaml")
    assert (found.state, found.of("report").done, found.page) == ("done", 1, str(folder / "report/index.html"))


def of(training, seconds_left=None, corpora=1):
    stages = (
        Stage("corpora", 1, corpora, 1 - corpora, 0, 0),
        Stage("training", 10, training, 0 if training == 10 else 4, 0, max(0, 6 - training), seconds_left),
    )
    return Progress("x", "params.yaml", "running", None, stages, (), seconds_left, None)


def test_lines_of_a_run_without_a_terminal_come_at_starts_ends_and_once_a_minute(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    now = [0.0]
    display = Display(lambda: now[0])
    for seconds, found in ((0, of(0)), (5, of(1, 120)), (61, of(4, 90)), (70, of(5, 60)), (100, of(10))):
        now[0] = seconds
        display.show(found)
    display.close()
    assert sys.stderr.getvalue().splitlines() == [
        "  corpora     1 of 1                          done before",
        "  training    0 of 10, 4 in training",
        "  training    4 of 10, 4 in training          about 2 min left",
        "  training    10 of 10                        1:40",
    ]


def test_of_stages_at_work_together_the_one_with_the_most_left_is_shown(monkeypatch):
    """Trainings begin while encoders of further corpora are still trained."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    now = [0.0]
    display = Display(lambda: now[0])
    for seconds, encoders, training in ((0, 0, 0), (70, 2, 40), (200, 5, 99), (230, 5, 100)):
        now[0] = seconds
        stages = (
            Stage("encoders", 5, encoders, int(encoders < 5), 0, max(0, 4 - encoders)),
            Stage("training", 100, training, int(0 < training < 100), 0, 0 if training > 98 else 99 - training),
        )
        display.show(Progress("x", "params.yaml", "running", None, stages, (), None, None))
    assert sys.stderr.getvalue().splitlines() == [
        "  encoders    0 of 5",
        "  training    40 of 100, 1 in training",
        "  encoders    5 of 5                          3:20",
        "  training    99 of 100, 1 in training",
        "  training    100 of 100                      2:40",
    ]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_repeat_what_words_say_and_can_be_switched_off(monkeypatch):
    """What a terminal shows is what a pipe gets, once its escape codes are gone."""
    lines = aligned([("C1", "refuted"), ("C2", "supported")], ("claim", "verdict"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    emit("show", {}, lines, as_json=False)
    drawn = sys.stdout.getvalue()
    assert "\x1b[" in drawn
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", Terminal())
    emit("show", {}, lines, as_json=False)
    assert sys.stdout.getvalue() == re.sub(r"\x1b\[[\d;]*m", "", drawn) == "\n".join([*lines, ""])


def test_on_a_terminal_one_line_is_rewritten_unless_no_colour_is_wanted(monkeypatch):
    for variables, is_live in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        monkeypatch.setattr(sys, "stderr", Terminal())
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        display = Display(lambda: 0.0)
        for done in range(3):
            display.show(of(done))
        display.say("results/x: published")
        display.close()
        assert ("\x1b[K" in sys.stderr.getvalue()) == is_live
        assert "results/x: published\n" in sys.stderr.getvalue()
