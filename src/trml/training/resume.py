"""Runs that are left before their end: saved every few seconds and when the process is asked to stop.

A saved run is one file, put in place atomically and sealed with its own checksum: a kill at any moment loses at most
what came after the last save. A damaged file is reported, and its cells are trained from the start.
"""

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save
from torch import Tensor

from trml.base.artifacts import write_bytes
from trml.base.commands import run_again
from trml.base.errors import Interrupted
from trml.base.progress import say
from trml.methods.contract import Step
from trml.training.schedule import Course
from trml.training.stack_run import StackRun

SAVE_EVERY_S = 10.0  # a save takes a tenth of a second or two


class Saved(NamedTuple):
    """A saved run: where, the digests of its cells in order, and its state."""

    path: Path
    cells: list[str]
    tensors: dict[str, Tensor]
    rest: dict[str, Any]


class Unfinished:
    """The saved runs of one block, in a folder of their own.

    `stopping` tells if the process was asked to stop.
    """

    def __init__(self, folder: Path, stopping: Callable[[], bool] = lambda: False) -> None:
        self.folder, self.stopping, self.last = folder, stopping, time.monotonic()

    def watch(self, run: StackRun, path: Path) -> None:
        """Save the run if it is time to.

        Raises:
            Interrupted: If the process is to stop, after the run is saved.
        """
        stop = self.stopping()
        if stop or time.monotonic() - self.last > SAVE_EVERY_S:
            tensors, rest = state(run)
            head = json.dumps({"cells": [cell.digest for cell in run.cells], "rest": rest}).encode()
            sealed = head + b"\n" + save({name: value.cpu().contiguous() for name, value in tensors.items()})
            write_bytes(path, hashlib.sha256(sealed).hexdigest().encode() + b"\n" + sealed)
            self.last = time.monotonic()
        if stop:
            raise Interrupted(
                f"stopped; finished cells are kept, {len(run.cells)} in training are saved at epoch {run.epoch}. "
                f"Resume with: {run_again()}"
            )

    def saved(self) -> Iterator[Saved]:
        """Yield what can be resumed; report and remove a damaged file."""
        for path in sorted(self.folder.glob("*.chunk")):
            checksum, _, sealed = path.read_bytes().partition(b"\n")
            if hashlib.sha256(sealed).hexdigest().encode() != checksum:
                say(f"{path} is damaged (its checksum differs): these cells are trained from the start")
                path.unlink()
                continue
            head, _, tensors = sealed.partition(b"\n")
            about = json.loads(head)
            yield Saved(path, about["cells"], load(tensors), about["rest"])

    def clear(self, path: Path) -> None:
        """Remove a run that is at its end, and the folder with the last of them."""
        path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def state(run: StackRun) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return all that has changed since a run started: tensors by name, and the rest as JSON."""
    tensors = {"values": run.stack.values, "best": run.best, "total": run.total}
    optimizers = {}
    for moves, optimizer in run.optimizers.items():
        arrays, optimizers[moves] = optimizer.state()
        tensors |= {f"{moves}/{name}": value for name, value in arrays.items()}
    return tensors, {
        "epoch": run.epoch,
        "batches_done": run.batches_done,
        "courses": [asdict(course) for course in run.courses],
        "optimizers": optimizers,
    }


def resume(run: StackRun, saved: Saved, places: Sequence[int]) -> None:
    """Take a new run to where another was saved, which had this one's cells at these places."""
    members = [*places, *[-1] * (len(run.stacked) - len(places))]
    own = {name: value[members].to(run.device) for name, value in saved.tensors.items()}
    run.stack.set(own["values"])
    run.best, run.total = own["best"], own["total"]
    run.epoch, run.batches_done = saved.rest["epoch"], saved.rest["batches_done"]
    run.courses = [Course(**saved.rest["courses"][i]) for i in places]
    for moves, rest in saved.rest["optimizers"].items():
        step = Step(moves=tuple((prefix, factor) for prefix, factor in json.loads(moves)))
        run.optimizer(step).load({name: own[f"{moves}/{name}"] for name in ("mean", "square")}, rest)


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether SIGINT or SIGTERM came since; a second one ends the process at once."""
    came: list[int] = []
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: Any) -> None:
        came.append(number)
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, handle)
    try:
        yield lambda: bool(came)
    finally:
        restore()
