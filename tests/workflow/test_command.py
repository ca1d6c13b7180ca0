"""`trml run` and its kin as processes: a whole run, Ctrl-C in a terminal, pipes that end, and what make hands on."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import ROOT
from helpers.checkout import FEW_METHODS, MINIATURE, SMALL_GRID, Checkout
from helpers.own_data import rows, write
from trml.base.artifacts import read_json
from trml.cli.ending import Code
from trml.cli.schemas import checked

# One method more than none, one seed: seconds, not minutes.
TINY = [*MINIATURE, *(o for o in SMALL_GRID if o != FEW_METHODS), "method=[trml,zero_fill,supervised_double]"]
TINY = [*TINY, "~datasets.unseen", "studies=false", "protocol.rates=[0.0,0.5]", "report.conditions=[0.0,0.5]"]
LONGER = ["training.epochs=400", "training.patience=400", "protocol.seeds=[2020,2021,2022]"]
LONGER = [*LONGER, *(f"methods.{name}.options.epochs=400" for name in ("trml", "zero_fill", "supervised_double"))]
UP_TO_FEATURES = ("corpora", "encoders", "features")
RUN = [sys.executable, "-m", "trml", "run", "--cores", "2"]


def environment(**more):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "COLUMNS": "80", "TERM": "xterm", **more}


def trml(folder, *arguments, **more):
    command = [sys.executable, "-m", "trml", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, miniature):
    """A copy of a folder after `trml run`, and what that wrote to stdout and stderr."""
    folder = tmp_path_factory.mktemp("finished") / "copy"
    shutil.copytree(miniature.folder, folder, symlinks=True)
    return Checkout(folder), *(miniature.folder.with_suffix(kind).read_text() for kind in (".out", ".err"))


def test_a_run_prints_the_page_and_a_line_a_stage(finished):
    made, out, err = finished
    assert re.fullmatch(r"results/pantomime\w*/report/index\.html\n", out)
    assert (made.folder / out.strip()).is_file()
    lines = err.splitlines()
    log = re.search(r"pantomime\w*: [\d,]+ trainings\. Log: (work/logs/run-[\d-]+\.log)", lines[0])[1]
    assert "rule" in (made.folder / log).read_text() or (made.folder / log).stat().st_size > 0
    ended = [line.split()[0] for line in lines if re.match(r"  \w+ +([\d,]+) of \1 ", line)]
    assert ended == ["corpora", "encoders", "features", "training", "evaluation", "report"]
    assert any(line.startswith("Claims: ") and line.endswith("Page:") for line in lines)
    assert any(re.match(r"results/\w+: published, open ", line) for line in lines)
    assert "\x1b" not in err and "Traceback" not in err


def test_status_show_and_a_second_run_agree_that_it_is_done(finished):
    made, out, _ = finished
    status = json.loads(trml(made.folder, "status", "--json").stdout)
    checked(status)
    assert (status["state"], status["page"]) == ("done", out.strip())
    again = trml(made.folder, "run", "--json")
    document = json.loads(again.stdout)
    checked(document)
    assert (document["page"], again.returncode) == (out.strip(), 0)
    assert sum(document["claims"].values()) == len(
        read_json((made.folder / document["page"]).parents[1] / "claims.json")
    )
    shown = trml(made.folder, "show", "main", "--json")
    checked(json.loads(shown.stdout))
    assert "done before" in again.stderr


def test_one_cell_is_trained_again_to_the_published_bytes(finished, tmp_path):
    shutil.copytree(finished[0].folder, tmp_path / "copy", symlinks=True)
    made = Checkout(tmp_path / "copy")
    (cells,) = (made.folder / "results").glob("*/cells.csv")
    cell = cells.read_text().splitlines()[1].split(",")[0]
    there = trml(made.folder, "run", "--only", cell, "--json")
    checked(json.loads(there.stdout))
    assert (there.returncode, json.loads(there.stdout)["trained"]) == (0, False)
    shutil.rmtree(made.folder / "work/cells")
    done = trml(made.folder, "run", "--only", cell[:10], "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["trained"]) == (0, True), done.stderr
    assert document["content"] == document["published"]
    assert trml(made.folder, "run", "--only", "zzz").returncode == 2


def test_a_stage_that_fails_is_named_with_its_log_and_the_exit_code_is_1(tmp_path):
    made = Checkout(tmp_path)
    made.configure(*TINY, "encoder.pretraining.retrieval_bar=1.0")
    done = trml(tmp_path, "run")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"^\w+ tiny_clip\S+: .*retriev", done.stderr, re.MULTILINE)
    assert re.search(r"trml run: a stage failed; finished work is kept\. Log: work/logs/run-\S+\.log\n", done.stderr)
    assert done.stderr.endswith("Resume: trml run\n")
    assert "Traceback" not in done.stderr
    assert "RuleException" not in done.stderr


def test_a_place_where_nothing_can_be_published_is_named_before_anything_is_made(tmp_path):
    made = Checkout(tmp_path)
    made.configure(*TINY)
    (tmp_path / "results").write_text("no folder")
    done = trml(tmp_path, "run")
    assert done.returncode == 1
    assert "results is no folder" in done.stderr
    assert not list((tmp_path / "work").rglob("corpora"))


def test_ctrl_c_in_a_terminal_saves_and_names_the_command_that_resumes(miniature, tmp_path):
    made = Checkout(tmp_path).takes(miniature, *UP_TO_FEATURES)
    made.configure(*TINY, *LONGER)
    run, controller = pty.fork()
    if run == 0:
        os.chdir(tmp_path)
        os.execve(RUN[0], RUN, environment())
    logs = tmp_path / "work/logs/blocks"
    deadline = time.monotonic() + 600
    while not any("to train" in log.read_text() for log in logs.glob("*.log")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(1)
    os.write(controller, b"\x03")
    said = b""
    with suppress(OSError):  # the terminal's other end is closed
        while part := os.read(controller, 4096):
            said += part
    assert os.waitstatus_to_exitcode(os.waitpid(run, 0)[1]) == 130
    text = said.decode(errors="replace").replace("\r\n", "\n")
    assert "Stopping: saving trainings in progress. Press Ctrl-C again to skip saving." in text
    assert re.search(r"Stopped with \d+ of \d+ trainings finished\. Resume: trml run\n$", text)
    assert "Traceback" not in text and "RuleException" not in text
    assert any("are saved at epoch" in log.read_text() for log in logs.glob("*.log"))
    assert json.loads(trml(tmp_path, "status", "--json").stdout)["state"] == "stopped"


def test_a_signal_is_passed_on_and_ends_with_143(tmp_path):
    made = Checkout(tmp_path)
    made.configure(*TINY, *LONGER)
    with (tmp_path / "said").open("wb") as said:
        run = subprocess.Popen(RUN, cwd=tmp_path, env=environment(), stdout=said, stderr=said)
    while not list((tmp_path / "work/logs").glob("run-*.log")):
        assert run.poll() is None
        time.sleep(0.2)
    time.sleep(2)
    second = trml(tmp_path, "run")
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=300) == 143
    assert (tmp_path / "said").read_text().splitlines()[-1].endswith("Resume: trml run")
    if second.returncode != 0:  # the lock was there already
        assert "another run is at work in this folder" in second.stderr


NASTY = [
    "own; touch x; true",
    "$(touch x)",
    "$(shell touch x)",
    "`touch x`",
    "it's",
    'a b"c',
    "$HOME",
    "a'; touch x; '",
]


@pytest.fixture
def handed_on(tmp_path):
    """Return what `make results` or another target hands on to the command: a Makefile with a stand-in for it."""
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    folder = tmp_path / ".venv/bin"
    folder.mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    program = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open('handed.json', 'w'))"
    for name in ("trml", "pytest"):
        (folder / name).write_text(f"#!{sys.executable}\n{program}\n")
        (folder / name).chmod(0o755)
    (folder / "python").symlink_to(sys.executable)
    (folder / ".installed").touch()

    def make(target, *variables):
        done = subprocess.run(["make", target, *variables], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert {path.name for path in tmp_path.iterdir()} == {
            *("Makefile", ".venv", "requirements.lock", "pyproject.toml", "handed.json")
        }
        return json.loads((tmp_path / "handed.json").read_text())

    return make


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.parametrize("variable", ["EXPERIMENT", "DATA", "SET", "FROM", "CORES"])
def test_no_value_of_make_is_part_of_a_shell_line(variable, value, handed_on):
    arguments, variables = handed_on("results", f"{variable}={value}")
    assert arguments == ["run"]
    assert variables[f"TRML_RUN_{variable}"] == value
    if variable != "FROM":
        arguments, variables = handed_on("search", f"{variable}={value}")
        assert (arguments, variables[f"TRML_RUN_{variable}"]) == (["search"], value)


@pytest.mark.parametrize("value", NASTY)
def test_a_variable_that_nobody_knows_is_not_handed_on(value, handed_on):
    arguments, variables = handed_on("results", f"SPLIT={value}")
    assert arguments == ["run"]
    assert "SPLIT" not in variables


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("own; touch x; true", ["own;", "touch", "x;", "true"]),
        ("$(touch x) $(shell touch x) `touch x`", ["$(touch", "x)", "$(shell", "touch", "x)", "`touch", "x`"]),
        ("tests/unit -k 'config or own'", ["tests/unit", "-k", "config or own"]),
        ("", []),
    ],
)
def test_words_for_pytest_are_split_and_no_more(value, words, handed_on):
    arguments, _ = handed_on("test", f"TESTS={value}")
    assert arguments[arguments.index("--no-loadscope-reorder") + 1 :] == words


def test_names_that_run_code_are_refused_as_experiments(tmp_path):
    done = trml(ROOT, "run", "--dry-run", TRML_RUN_EXPERIMENT=f"own; touch {tmp_path}/x; true")
    assert done.returncode == 2
    assert "there is no experiment 'own; touch" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("end", ["| head -1", ">&-", "| head -c 0"])
def test_a_reader_that_leaves_changes_nothing(end):
    for words, code in ((["show"], 0), (["status", "--folders"], 0), (["show", "nope"], 3)):
        command = " ".join([sys.executable, "-m", "trml", *words])
        shell = ["bash", "-c", f"set -o pipefail; {command} {end}"]
        done = subprocess.run(shell, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
        assert done.returncode == code


def test_a_terminal_without_the_characters_is_printed_on(tmp_path):
    folder = write(tmp_path / "größe", rows())
    for words in (["check", str(folder)], ["check", str(tmp_path / "grün")]):
        done = trml(ROOT, *words, PYTHONIOENCODING="ascii")
        assert "gr?" in done.stdout + done.stderr
        assert done.returncode != Code.BUG and "\x1b" not in done.stdout
    for columns in ("40", "80", "200"):
        done = trml(ROOT, "cite", PYTHONIOENCODING="ascii", COLUMNS=columns)
        assert (done.returncode, done.stderr) == (0, "")
        assert "\x1b" not in done.stdout


def test_reading_works_without_torch_and_outside_the_repository(tmp_path):
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "torch.py").write_text("raise ImportError('torch is blocked')")
    result = ROOT / "results/pantomime_full"
    for words in (
        ["show", str(result)],
        ["show", str(result), "C1"],
        ["compare", str(result), str(result)],
        ["trace", f"{result}:main/trml/vision@0.5"],
        ["verify", str(result), "--against", str(result)],
    ):
        done = trml(tmp_path, *words, PYTHONPATH=str(blocked))
        assert (done.returncode, done.stderr) == (0, ""), words
    for words in (["methods"], ["corpora"], ["status"], ["run", "--dry-run"], ["cite"], ["compose", "--keys", "seed"]):
        done = trml(ROOT, *words, PYTHONPATH=str(blocked))
        assert (done.returncode, done.stderr) == (0, ""), words
