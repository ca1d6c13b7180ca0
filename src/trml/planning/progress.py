"""How far an experiment is: what is done, running, failed and left at each stage, and for how long.

Only names and times of files are read, and the records of trained cells: no plan is carried out, nothing is locked.
"""

import os
import platform
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from trml.base.artifacts import read_json
from trml.base.errors import StoreError
from trml.base.lock import try_lock
from trml.planning.blocks import Block
from trml.planning.plan import Plan, searched
from trml.planning.time_left import Trained, last_words, seconds_left
from trml.training.contract import Cell
from trml.training.store import RECORDS, shards

State = Literal["idle", "running", "stopped", "failed", "done"]

RAW, TRAINING = "raw files", "training"
_FAULT = re.compile(r"^trml \w+: (?P<reason>.+)$", re.MULTILINE)
_STOPPED = ("are saved at epoch", "finished work is kept")


@dataclass(frozen=True)
class Stage:
    """A stage of an experiment; items are folders or, in training, cells.

    seconds_left: None where it is unknown.
    """

    stage: str
    total: int
    done: int
    running: int
    failed: int
    left: int
    seconds_left: float | None = None


@dataclass(frozen=True)
class Progress:
    """How far an experiment is.

    Attributes:
        experiment: The name that it is published under.
        params: Its configuration file.
        state: idle: none of its trainings was started, though it may share some that are done with another
            configuration. stopped: some were, and nobody works on the rest.
        run: pid, node, experiment, started (seconds since 1970) and log of the run at work, be it of another one;
            None without one.
        stages: In order.
        failed: what, reason and log of each job that ended with an error, and of trainings that diverged.
        seconds_left: Of the training, None where it is unknown.
        page: The published page, None before there is one.
        methods: The training by method.
    """

    experiment: str
    params: str
    state: State
    run: Mapping[str, Any] | None
    stages: Sequence[Stage]
    failed: Sequence[Mapping[str, Any]]
    seconds_left: float | None
    page: str | None
    methods: Sequence[Stage] = field(default_factory=tuple)

    @property
    def is_fetched(self) -> bool:
        """Whether all raw files have been fetched that were to be, so that provisional names have true ones."""
        return all(stage.done == stage.total for stage in self.stages if stage.stage == RAW)

    def of(self, stage: str) -> Stage:
        """Return a stage by its name."""
        return next(each for each in self.stages if each.stage == stage)


class Item(NamedTuple):
    """Something that a job makes: its name, the file that says that it is done, and the job's log."""

    name: str
    finished: Path
    log: Path


def progress(
    plans: Sequence[Plan],
    params: str,
    work: Path = Path("work"),
    *,
    search: bool = False,
    since: float | None = None,
) -> Progress:
    """Return how far the experiment of some plans is.

    Args:
        plans: Of its datasets, its own first.
        params: Its configuration file.
        work: The folder of artifacts; results/ is beside it.
        search: Whether it is about the search on dev that precedes the experiment.
        since: When the run started that is asked about, if it has ended; what its jobs said counts, and nothing older.
    """
    own, run = plans[0], run_at_work(work)
    is_own = run is not None and run["experiment"] in (None, own.named.published)
    since = float(run["started"]) if run and is_own else since
    failed: list[dict[str, Any]] = []
    before = _before_training(searched(plans) if search else plans, work)
    stages = [_stage(name, items, since, failed) for name, items in before.items() if items]
    blocks = {
        name: block
        for plan in (searched(plans) if search else plans)
        for name, block in (plan.search_blocks if search else plan.blocks).items()
    }
    training, methods = _training(blocks, since, failed, work)
    stages.append(training)
    page = work.parent / "results" / own.named.published / "report/index.html"
    is_out = training.done == training.total
    if not search:
        evaluation, report = _after_training(plans, work)
        stages.append(_stage("evaluation", evaluation, since, failed))
        is_out = own.results is not None and _holds(page.parents[1], own.results.name)
        stages.append(_stage("report", report, since, failed, done=is_out))
    state: State = "running" if is_own else "done" if is_out else "failed" if failed else "stopped"
    if state == "stopped" and not any((work / f"logs/blocks/{name}.log").exists() for name in blocks):
        state = "idle"
    shown = str(page) if page.is_file() else None
    return Progress(own.named.published, params, state, run, stages, failed, training.seconds_left, shown, methods)


def _holds(published: Path, digest: str) -> bool:
    """Return whether published results are of a digest; their files are not verified."""
    try:
        return bool(read_json(published / "manifest.json")["digest"] == digest)
    except (OSError, StoreError, KeyError):
        return False


def run_at_work(work: Path = Path("work")) -> dict[str, Any] | None:
    """Return pid, node, start, log and experiment of the run that holds the lock of work/, None without one."""
    lock = work / ".lock"
    try:
        found = re.match(r"process (\d+) on (.*?)(?: for (\S+))?$", lock.read_text())
    except OSError:
        return None
    if found is None or (found[2] == platform.node() and not _is_alive(int(found[1]))):
        return None
    with lock.open("a") as handle:
        try:
            if try_lock(handle):
                return None
        except OSError:  # a file system without locks: its record is all there is
            pass
    logs = sorted((work / "logs").glob("run-*.log"))
    about = {"pid": int(found[1]), "node": found[2], "experiment": found[3], "started": lock.stat().st_mtime}
    return {**about, "log": str(logs[-1]) if logs else None}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _before_training(plans: Sequence[Plan], work: Path) -> dict[str, list[Item]]:
    """Return the items of the stages before training, each once."""
    logs = work / "logs"
    unfetched = {plan.params.corpus.name for plan in plans if plan.unfetched}
    raw = [Item(name, work / "fetched" / name, logs / f"fetched/{name}.log") for name in sorted(unfetched)]
    corpora = {plan.corpus: "corpus.json" for plan in plans}
    # Of an encoder whose features are there, the work is done.
    encoders = {
        plan.encoder: plan.features / "features.json"
        if (plan.features / "features.json").exists()
        else plan.encoder / "encoder.json"
        for plan in plans
        if plan.encoder
    }
    features = {plan.features: "features.json" for plan in plans}
    return {
        RAW: raw,
        "corpora": [Item(f.name, f / done, logs / f"corpora/{f.name}.log") for f, done in corpora.items()],
        "encoders": [Item(f.name, done, logs / f"encoders/{f.name}.log") for f, done in encoders.items()],
        "features": [Item(f.name, f / done, logs / f"features/{f.name}.log") for f, done in features.items()],
    }


def _after_training(plans: Sequence[Plan], work: Path) -> tuple[list[Item], list[Item]]:
    """Return the items of evaluation, references and probes among them, and of the report."""
    logs, items = work / "logs", {}
    for plan in plans:
        folders = [("references", plan.references, "references.parquet"), ("probes", plan.probes, "probes.json")]
        for kind, folder, done in [*folders, ("evaluations", plan.evaluation, "claims.json")]:
            if folder is not None:
                items[folder] = Item(folder.name, folder / done, logs / f"{kind}/{folder.name}.log")
    results = plans[0].results
    assert results is not None
    made = results / "manifest.json"
    kind = "published" if made.exists() else "results"  # of the two jobs, the one that is next
    return list(items.values()), [Item(results.name, made, logs / f"{kind}/{results.name}.log")]


def _stage(
    name: str, items: Sequence[Item], since: float | None, failed: list[dict[str, Any]], *, done: bool | None = None
) -> Stage:
    """Return a stage by its files; `done`: known otherwise. Failures are added to `failed`."""
    finished = [item for item in items if item.finished.exists()] if done is None else [*items] * done
    rest = [item for item in items if item not in finished]
    running = 0
    for item in rest:
        reason = _fault(item.log, since)
        if reason:
            failed.append({"what": f"{name} {item.name}", "reason": reason, "log": str(item.log)})
        running += reason is None and _is_written(item.log, since)
    broken = sum(each["what"].startswith(f"{name} ") for each in failed)
    return Stage(name, len(items), len(finished), running, broken, len(rest) - running - broken)


def _training(
    blocks: Mapping[str, Block], since: float | None, failed: list[dict[str, Any]], work: Path
) -> tuple[Stage, list[Stage]]:
    """Return the stage of the trainings of some blocks, and the same by method."""
    cells = {cell.digest: cell for block in blocks.values() for cell in block.cells}
    trained = {name: each for store in {cell.store for cell in cells.values()} for name, each in _store(store).items()}
    at_work: dict[str, Block] = {}
    broken: set[str] = set()
    for name, block in blocks.items():
        log = work / f"logs/blocks/{name}.log"
        if block.done.exists() and all(cell.digest in trained for cell in block.cells):
            continue
        reason = _fault(log, since)
        if reason:
            failed.append({"what": f"{TRAINING} {name}", "reason": reason, "log": str(log)})
            broken |= {cell.digest for cell in block.cells}
        elif _is_written(log, since):
            at_work[name] = block
    failed += [
        {"what": f"cell {cells[name].name}", "reason": each.failed, "log": None}
        for name, each in trained.items()
        if each.failed and name in cells
    ]
    running = {cell.digest for block in at_work.values() for cell in block.cells}
    by_method: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells.values():
        by_method[cell.spec.method].append(cell)
    parts = [_counted(method, own, trained, running, broken) for method, own in by_method.items()]
    whole = _counted(TRAINING, list(cells.values()), trained, running, broken)
    if since is None or whole.done == whole.total:
        return whole, parts
    return replace(whole, seconds_left=seconds_left(cells.values(), trained, at_work, work / "logs/blocks")), parts


def _counted(
    name: str, cells: Sequence[Cell], trained: Mapping[str, Trained], running: set[str], broken: set[str]
) -> Stage:
    states = Counter(
        "done"
        if cell.digest in trained
        else "failed"
        if cell.digest in broken
        else "running"
        if cell.digest in running
        else "left"
        for cell in cells
    )
    return Stage(name, len(cells), states["done"], states["running"], states["failed"], states["left"])


def _store(store: Path) -> dict[str, Trained]:
    """Return the trainings in a store, by digest."""
    found: dict[str, Trained] = {}
    for shard in shards(store):
        path = shard / RECORDS
        try:
            found |= _records(path, path.stat().st_mtime_ns)
        except (OSError, StoreError):  # packed into another shard meanwhile, or damaged: the run says so
            continue
    return found


@lru_cache(maxsize=4096)
def _records(path: Path, as_of: int) -> dict[str, Trained]:
    """Return what a file of records says; `as_of`: when it was written, so that it is read once."""
    records: dict[str, Any] = read_json(path)
    return {name: Trained(float(record.get("wall_s") or 0.0), record.get("failed")) for name, record in records.items()}


def _is_written(log: Path, since: float | None) -> bool:
    """Return whether the run at work has written to a job's log."""
    try:
        return since is not None and log.stat().st_mtime >= since
    except OSError:
        return False


def _fault(log: Path, since: float | None) -> str | None:
    """Return the error that a job ended with, None if it did not; of a run at work, only what it wrote itself."""
    if since is not None and not _is_written(log, since):
        return None
    words = last_words(log)
    found = [match["reason"] for match in _FAULT.finditer(words)]
    if not found or any(word in found[-1] for word in _STOPPED):
        return None
    return found[-1]
