"""How long trainings will still take, from what jobs at work say in their logs and what finished trainings took."""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from trml.config.method_options import sees_sequences
from trml.planning.blocks import Block
from trml.training.contract import Cell

_SEQUENCES = 10.0  # how much longer a method that sees sequences takes, where neither was measured
_BEGUN = re.compile(r"^block .+ cells are in the store, \d+ to train$", re.MULTILINE)
_MEASURED = re.compile(r"^block .+, cells: (\d+)/(\d+), about (\d+) s to go$", re.MULTILINE)  # base.progress.Meter
_TAIL = 4000  # bytes of a log in which its last words are


class Trained(NamedTuple):
    """A training in the store: how long it took, and why it has no predictions if it has none."""

    wall_s: float
    failed: str | None


class Measured(NamedTuple):
    """What a job said last: how many seconds its block will still take, and how many each training takes."""

    to_go_s: float
    each_s: float


def last_words(log: Path) -> str:
    """Return the end of a log, empty if there is none."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - _TAIL))
            return handle.read().decode(errors="replace")
    except OSError:
        return ""


def measured(log: Path, now: float) -> Measured | None:
    """Return what the log of a block at work says, None before it has said how long it will take.

    Args:
        log: The job's log.
        now: Seconds since 1970: what has passed since the log was written is over.
    """
    words = _BEGUN.split(last_words(log))[-1]  # of this start, where an earlier one was stopped
    found = _MEASURED.findall(words)
    if not found:
        return None
    done, total, to_go = map(float, found[-1])
    return Measured(max(0.0, to_go - max(0.0, now - log.stat().st_mtime)), to_go / max(1.0, total - done))


def seconds_left(
    cells: Iterable[Cell], trained: Mapping[str, Trained], at_work: Mapping[str, Block], logs: Path
) -> float | None:
    """Return how long trainings will still take on the jobs at work; None before any was measured.

    Args:
        cells: All trainings.
        trained: Those in the store, by digest.
        at_work: The blocks that jobs train now, by name.
        logs: The folder of their logs.
    """
    cells, now = list(cells), time.time()
    said = {name: measured(logs / f"{name}.log", now) for name in at_work}
    known = {name: each for name, each in said.items() if each is not None}
    counted = {cell.digest for name in known for cell in at_work[name].cells}
    seconds = _of_methods(cells, trained, [(at_work[name].cells[0], each.each_s) for name, each in known.items()])
    if seconds is None:
        return None
    rest = sum(seconds[c.spec.method] for c in cells if c.digest not in trained and c.digest not in counted)
    to_go = [each.to_go_s for each in known.values()]
    return max([(rest + sum(to_go)) / max(1, len(at_work)), *to_go])


def _of_methods(
    cells: Iterable[Cell], trained: Mapping[str, Trained], running: Iterable[tuple[Cell, float]]
) -> dict[str, float] | None:
    """Return how long a training takes, by method; None if none was measured.

    What jobs at work measure counts, else the mean of those that are done, else a guess from other methods.
    """
    targets: dict[str, str] = {}
    done: dict[str, list[float]] = defaultdict(list)
    for cell in cells:
        targets[cell.spec.method] = cell.spec.target
        if cell.digest in trained:
            done[cell.spec.method].append(trained[cell.digest].wall_s)
    now: dict[str, list[float]] = defaultdict(list)
    for cell, each_s in running:
        now[cell.spec.method].append(each_s)
    taken = {method: sum(times) / len(times) for method, times in {**done, **now}.items()}
    if not taken:
        return None
    weight = {method: _SEQUENCES if sees_sequences(target) else 1.0 for method, target in targets.items()}
    guess = sum(each / weight[method] for method, each in taken.items()) / len(taken)
    return {method: taken.get(method, guess * weight[method]) for method in targets}
