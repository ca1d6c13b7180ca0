"""DVC as its documentation says: repro, push, and a clone that has nothing but git and the remote."""

# long because: all tests start from one finished repository, which takes a minute to make

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import requests
import yaml
from safetensors.numpy import load_file, save_file

from conftest import ROOT
from helpers.checkout import MINIATURE, SMALL_GRID, Checkout
from trml.base.artifacts import write_sums
from trml.config.load import load
from trml.planning.plan import plans
from trml.report.publish import is_published

FEW = ["method=[trml,zero_fill,supervised_double]", "~datasets.unseen", "studies=false"]
GRID = [o for o in SMALL_GRID if not o.startswith("method=")] + FEW
BARE = ("snakemake", "--cores", "2")
PROJECT = (
    "Snakefile",
    "workflow",
    "profiles",
    "config",
    "src",
    "dvc.yaml",
    "submissions",
    ".dvcignore",
    ".dvc",
    ".gitignore",
)


class Repository(Checkout):
    """A git repository with all that DVC's stages need, run with the programs of this environment.

    also: further variables of the environment.
    """

    def __init__(self, folder: Path, **also: str) -> None:
        super().__init__(folder)
        self.also = also

    def environment(self) -> dict[str, str]:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@t"),
        }
        environment.pop("TRML_PARAMS", None)
        return environment | self.also

    def run(self, *command: str, fails: bool = False) -> str:
        how = {"cwd": self.folder, "env": self.environment(), "capture_output": True, "text": True}
        done = subprocess.run(command, **how, check=False)
        assert (done.returncode != 0) == fails, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def dvc(self, *arguments: str, fails: bool = False) -> str:
        return self.run("dvc", *arguments, fails=fails)

    def commit(self) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "state")

    def dry(self) -> str:
        return self.run(*BARE, "--dry-run")

    def seeds(self, *seeds: int) -> None:
        params = yaml.safe_load((self.folder / "params.yaml").read_text())
        params["protocol"]["seeds"] = list(seeds)
        (self.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory, miniature):
    """A repository after `dvc repro` and `dvc push` to a folder. Its results are committed. Not to be changed.

    Its trainings are those of the miniature, so that it scores and reports alone.
    """
    folder = tmp_path_factory.mktemp("made")
    for name in PROJECT:
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder / name)
    for leftover in ("tmp", "cache", "config.local"):
        shutil.rmtree(folder / ".dvc" / leftover, ignore_errors=True)
    repository = Repository(folder)
    repository.configure(*MINIATURE, *GRID)
    repository.run("git", "init", "-q", ".")
    repository.dvc("remote", "add", "--default", "store", str(tmp_path_factory.mktemp("remote")))
    repository.commit()
    repository.takes(miniature)
    repository.dvc("repro")
    repository.run("git", "add", "-f", "results")
    repository.commit()
    repository.dvc("push")
    return repository


@pytest.fixture
def clone(made, tmp_path):
    """A clone that knows git and the remote alone."""
    made.run("git", "clone", "-q", str(made.folder), str(tmp_path / "clone"))
    return Repository(tmp_path / "clone")


def agrees(repository) -> bool:
    """Whether results/ has what the configuration in force says, whole and unchanged."""
    plan = plans(load(repository.folder / "params.yaml"), repository.folder / "work", repository.folder / "config")[0]
    return is_published(plan.results.name, repository.folder / "results" / plan.named.published)


def nothing_to_do(repository) -> bool:
    return "Nothing to be done" in repository.dry() and "up to date" in repository.dvc("status")


def show(repository, *rates):
    """Set the missing rates of the main table."""
    params = yaml.safe_load((repository.folder / "params.yaml").read_text())
    params["report"]["conditions"] = list(rates)
    (repository.folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def test_after_a_pull_there_is_nothing_to_do(clone, made):
    clone.dvc("pull")
    assert nothing_to_do(clone)
    assert not list((clone.folder / "work").rglob("*.mp4"))
    (model,) = (clone.folder / "work/models").iterdir()
    assert model.name.startswith("trml-") and load_file(model / "model.safetensors")
    assert clone.run("git", "status", "--porcelain") == ""
    shards = list((clone.folder / "work/cells").glob("*/*/*"))
    assert shards and all(len(list(shard.iterdir())) == 4 for shard in shards)


def test_a_change_after_a_pull_redoes_what_depends_on_it(clone):
    """What the report shows: nothing is trained or scored."""
    clone.dvc("pull")
    show(clone, 1.0)
    said = clone.dvc("repro")
    assert "Rule: report)" in said
    for rule in ("corpus", "pretrain", "encode", "train", "evaluate"):
        assert f"Rule: {rule})" not in said
    assert nothing_to_do(clone) and agrees(clone)


@pytest.mark.slow
def test_a_seed_after_a_pull_trains_its_cells_alone(clone):
    clone.dvc("pull")
    before = clone.cells()
    clone.seeds(2020, 2021, 2022)
    said = clone.dvc("repro")
    assert "pretraining" not in said  # the encoder was pulled
    after = clone.cells()
    assert len(after) > len(before)
    named = {cell["digest"] for cell in before.values() if cell["seed"] in (2020, 2021)}
    assert named <= after.keys()
    assert nothing_to_do(clone)
    assert "mae.complete" in clone.dvc("metrics", "diff")
    clone.run("git", "checkout", "-q", ".")
    clone.dvc("checkout")
    assert nothing_to_do(clone)


@pytest.fixture
def s3():
    """The address of an S3 server on loopback with the bucket `bucket`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("moto_server")
    server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            requests.put(f"{address}/bucket", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    yield address
    server.terminate()
    server.wait()


def test_s3_is_a_remote_like_a_folder(made, clone, s3, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    shutil.copytree(made.folder, tmp_path / "copy")
    for repository in (Repository(tmp_path / "copy"), clone):
        repository.dvc("remote", "add", "--local", "--default", "s3", "s3://bucket/store")
        repository.dvc("remote", "modify", "--local", "s3", "endpointurl", s3)
        repository.dvc("push" if repository is not clone else "pull")
    assert nothing_to_do(clone)
    assert agrees(clone)


def stop(repository, number):
    """Start `dvc repro`, and stop it in the report, with all its children."""
    path = repository.folder / ".dvc/tmp/log"
    with path.open("w") as log:
        how = {"cwd": repository.folder, "env": repository.environment(), "stdout": log, "stderr": log}
        run = subprocess.Popen([str(Path(sys.executable).with_name("dvc")), "repro"], process_group=0, **how)
    while run.poll() is None and not any((repository.folder / "work/results").glob(".*")):
        time.sleep(0.02)
    os.killpg(run.pid, number)
    run.wait()


@pytest.mark.slow
def test_results_agree_with_the_configuration_after_any_sequence(made, tmp_path):
    """Edits, checkouts, stopped runs and restores in turn; what is shown moves the report alone, so each is quick."""
    shutil.copytree(made.folder, tmp_path / "copy")
    copy = Repository(tmp_path / "copy")

    assert agrees(copy)
    show(copy, 0.5)
    assert not agrees(copy)
    copy.dvc("repro")  # 1: an edit
    assert agrees(copy)
    copy.commit()
    show(copy, 1.0)
    copy.run(*BARE)  # 2: an edit, without DVC
    assert agrees(copy)
    assert "changed" in copy.dvc("status")
    copy.run("git", "checkout", "-q", "params.yaml")
    copy.run(*BARE)  # 3: back
    assert agrees(copy) and "report" not in copy.dry()
    copy.run("git", "checkout", "-q", "HEAD~1")
    copy.dvc("checkout")  # 4: an older commit, restored
    assert agrees(copy) and nothing_to_do(copy)
    copy.run("git", "checkout", "-q", "-")
    copy.run(*BARE)  # 5: there again, work/ not restored
    assert agrees(copy)
    show(copy, 0.5, 1.0, 0.0)
    stop(copy, signal.SIGKILL)
    copy.run(*BARE)  # 6: a killed repro, then a bare run
    assert agrees(copy)
    show(copy, 1.0, 0.5)
    stop(copy, signal.SIGINT)
    copy.dvc("repro")  # 7: an interrupted repro, then another
    assert agrees(copy)
    shutil.rmtree(copy.folder / "work")
    copy.dvc("checkout")
    copy.run(*BARE)  # 8: work/ lost, restored
    assert agrees(copy)
    damaged = list((copy.folder / "results").glob("*/metrics.csv"))
    for path in damaged:
        path.write_text("")
    assert "cannot be read, so it is unknown what" in copy.run("trml", "gc", "--yes", fails=True)
    copy.run(*BARE)  # 9: published results damaged
    assert agrees(copy)
    for path in damaged:
        if not path.stat().st_size:
            shutil.rmtree(path.parent)  # of other configurations
    (evaluation, *_) = (copy.folder / "work/evaluations").glob("*/claims.json")
    evaluation.chmod(0o644)
    evaluation.write_text(evaluation.read_text().replace("supported", "SUPPORTED").replace("undecided", "UNDECIDED"))
    show(copy, 0.0, 0.5)
    copy.run(*BARE)  # 10: scores altered in work/ are made again
    assert agrees(copy)
    assert "UNDECIDED" not in "".join(path.read_text() for path in (copy.folder / "results").glob("*/claims.json"))
    (copy.folder / "params.yaml").write_text("name: [")
    assert "is not YAML" in copy.run(*BARE, fails=True)  # 11: refused
    copy.run("git", "checkout", "-q", "params.yaml")
    copy.run(*BARE)
    copy.run("trml", "gc", "--yes")
    assert agrees(copy) and "Nothing to be done" in copy.dry()  # 12: cleaned


def test_metrics_plots_and_parameters_are_shown(made, tmp_path):
    shutil.copytree(made.folder, tmp_path / "copy")
    copy = Repository(tmp_path / "copy")
    shown = copy.dvc("metrics", "show")
    assert "mae.vision@0.5" in shown and "claims.C1.against" in shown
    copy.dvc("plots", "show", "--out", "plots")
    page = (copy.folder / "plots/index.html").read_text()
    assert "vega" in page and "supervised_double" in page and "missing rate" in page
    assert "mae.vision@0.5" in copy.dvc("exp", "show", "--no-pager", "--csv")
    copy.seeds(2020)
    assert "protocol.seeds" in copy.dvc("params", "diff")


def test_an_archive_of_results_is_enough_for_the_page(made, tmp_path):
    """Scores and claims are computed again from the predictions in it, to the same bytes, without training."""
    (name,) = [path.name for path in (made.folder / "results").iterdir()]
    made.run("trml", "export", name, "--output", str(tmp_path / "deposit.zip"))
    made.run("git", "clone", "-q", str(made.folder), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    published = (clone.folder / "results" / name / "metrics.csv").read_bytes()
    said = clone.run("trml", "bring", str(tmp_path / "deposit.zip")).splitlines()
    (params,) = [line for line in said if line.endswith(".yaml")]
    said = clone.run("snakemake", "--cores", "2", "--config", f"params={params}")
    assert "reproduced, all" in said
    for job in ("train", "corpus", "features", "pretrain", "probe"):
        assert f"Rule: {job})" not in said
    assert (clone.folder / "results" / name / "metrics.csv").read_bytes() == published
    assert "Same: all" in clone.run("trml", "verify", name)


LATER = ("evaluations", "results", "published")


def again(made, folder, *without, **also):
    """Return a copy of a finished repository that lacks what is to be made again, and the name of its results."""
    shutil.copytree(made.folder, folder)
    for name in (*without, *LATER):
        shutil.rmtree(folder / "work" / name, ignore_errors=True)
    (result,) = (path.name for path in (folder / "results").iterdir())
    return Repository(folder, **also), result


@pytest.mark.slow
def test_other_instructions_are_within_statistics(made, tmp_path):
    """As on another processor: torch without vector instructions."""
    other, name = again(made, tmp_path / "other", "cells", "blocks", ATEN_CPU_CAPABILITY="default")
    other.run(*BARE)
    said = other.run("trml", "verify", name)
    assert "Within statistics: bits differ" in said
    assert "Likely cause: " in said and "ATEN_CPU_CAPABILITY=default here" in said
    assert "Differs" not in said
    other.run("trml", "verify", name, "--exact", fails=True)


def test_an_altered_prediction_differs_and_its_training_is_named(made, tmp_path):
    other, name = again(made, tmp_path / "other")
    shown = pl.read_csv(other.folder / "results" / name / "metrics.csv", schema_overrides={"cell": pl.String})
    cell = shown.filter(method="trml", variant="default", condition="complete", train_rate=0.0)["cell"][0]
    tables = {path.parent: pl.read_parquet(path) for path in (other.folder / "work/cells").rglob("predictions.parquet")}
    (shard,) = (folder for folder, table in tables.items() if cell in table.columns)
    table = tables[shard]
    is_one = pl.concat_str("split", "present") == "testtext+vision"
    is_one &= is_one.cum_sum() == 1
    table.with_columns(pl.when(is_one).then(pl.col(cell) + 1).otherwise(pl.col(cell)).alias(cell)).write_parquet(
        shard / "predictions.parquet"
    )
    write_sums(shard)
    other.run(*BARE)
    said = other.run("trml", "verify", name, fails=True)
    assert said.startswith("Differs: ") and "Tables: tables/" in said
    assert f", {cell}): expected " in said and "First at cells (trml, " in said
    assert "was changed after it was made: machine, versions and recipes are the same" in said


@pytest.mark.slow
def test_an_altered_encoder_differs_and_is_named(made, tmp_path):
    """One weight. All that follows is made again, and departs too."""
    other, name = again(made, tmp_path / "other", "features", "chunks", "cells", "blocks")
    (encoder,) = (other.folder / "work/encoders").iterdir()
    (weights,) = encoder.glob("*.safetensors")
    arrays = load_file(weights)
    first = next(iter(sorted(arrays)))
    arrays[first].reshape(-1)[0] += 1
    save_file(arrays, weights)
    write_sums(encoder)
    other.run(*BARE)
    said = other.run("trml", "verify", name, fails=True)
    assert "First at encoder: expected " in said
    assert "encoder was changed after it was made" in said


@pytest.mark.slow
def test_another_version_of_the_source_differs_and_its_stage_is_named(made, tmp_path):
    """Another learning-rate schedule: only cells, and what is computed from them, are made again."""
    other, name = again(made, tmp_path / "other")
    schedule = other.folder / "src/trml/training/schedule.py"
    schedule.write_text(schedule.read_text().replace("0.5 * (1", "0.4 * (1", 1))
    other.commit()
    other.run(*BARE)
    said = other.run("trml", "verify", str(made.folder / "results" / name), fails=True)
    assert said.startswith("Differs: ") and "First at cells: expected " in said
    assert "Likely cause: other source: commit " in said


@pytest.mark.slow
def test_another_version_of_a_library_differs_and_is_named(made, tmp_path):
    """Pillow says that it is another version. Its code is the same, but a recipe has no other way to know."""
    metadata = tmp_path / "other_libraries/pillow-99.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: pillow\nVersion: 99.0\n")
    other, name = again(made, tmp_path / "other")
    other.also["PYTHONPATH"] = f"{other.folder / 'src'}:{metadata.parents[1]}"
    other.run(*BARE)
    said = other.run("trml", "verify", str(made.folder / "results" / name), fails=True)
    assert "First at corpus: expected " in said  # whose pictures Pillow draws
    assert "Likely cause: pillow 99.0 here, " in said
