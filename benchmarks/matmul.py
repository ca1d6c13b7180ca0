"""The share of the machine's own rate of matrix products that a whole training step reaches.

The machine's rate is that of torch.mm on two matrices of 1024 x 1024 f32, one thread: the median of 20 products right
before the steps and 20 right after. A step of TRML is everything from the reading of a batch to the moved weights, at
the chunk size that `chunk: auto` gives; its time is the median over the steps of three epochs, the first step of each
left out, after one epoch unmeasured. Its operations are those of its matrix products alone, as torch's flop counter
sees them, without those of the stack's idle place; "counted / by hand" holds the counter against a formula written out
and is 1 where the counter sees every product. The share is the median of three rounds.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from benchmarks.flops import Enough, by_hand, counted
from benchmarks.row import Row
from benchmarks.synthetic import SIZES, Size, cells, settings, write_features
from benchmarks.timing import seconds
from trml.base.progress import say
from trml.device import set_up
from trml.features.contract import read_features
from trml.training.data import Data, load_data
from trml.training.memory import chunk_size
from trml.training.stack_run import StackRun

EDGE, PRODUCTS, EPOCHS, ROUNDS = 1024, 20, 3, 3


class _Round(NamedTuple):
    machine: float
    step_s: float


def measure(quick: bool) -> Iterator[Row]:
    """Each size."""
    device = set_up("cpu", 1)
    for size in SIZES:
        say(f"  {size.name}")
        sized = size._replace(utterances=(256, 16, 16)) if quick else size
        with tempfile.TemporaryDirectory() as temporary:
            features = read_features(write_features(Path(temporary) / "features", sized))
            yield from _of_size(sized, load_data(features, device, torch.float32), quick)


def _of_size(size: Size, data: Data, quick: bool) -> Iterator[Row]:
    def fresh(count: int) -> StackRun:
        return StackRun(cells("trml", size, count), data, settings(size, epochs=24))

    count = 4 if quick else chunk_size(fresh(1))
    places = count + 1
    one = counted(fresh(count)) / places
    rounds = [_round(fresh(count), quick) for _ in range(1 if quick else ROUNDS)]
    yield Row(size.name, "cells in the stack", count, "")
    yield Row(size.name, "machine", median(r.machine for r in rounds) / 1e9, "GFLOP/s")
    yield Row(size.name, "step", median(r.step_s for r in rounds) * 1e3, "ms")
    yield Row(size.name, "products of a step", count * one / 1e9, "GFLOP")
    yield Row(size.name, "share", median(count * one / r.step_s / r.machine for r in rounds) * 100, "%")
    yield Row(size.name, "counted / by hand", one / by_hand(size), "")


def _round(run: StackRun, quick: bool) -> _Round:
    before = machine_rate()
    step_s = step_seconds(run, 1 if quick else EPOCHS)
    return _Round((before + machine_rate()) / 2, step_s)


def machine_rate() -> float:
    """Return the operations a second of torch.mm."""
    a, b, out = (torch.rand(EDGE, EDGE) for _ in range(3))
    torch.mm(a, b, out=out)
    return 2 * EDGE**3 / median(seconds(lambda: torch.mm(a, b, out=out)) for _ in range(PRODUCTS))


def step_seconds(run: StackRun, epochs: int) -> float:
    """Return the median time of a training step over so many epochs, after one unmeasured."""
    steps: list[float] = []
    last = -1, 0, 0.0  # epoch, batches done, when

    def pause() -> None:
        nonlocal last
        now = run.epoch, run.batches_done, time.perf_counter()
        # It is called after the batches of a prediction too, which move no count.
        if now[0] >= 1 and (now[0], now[1] - 1) == last[:2]:
            steps.append(now[2] - last[2])
        last = now
        if run.epoch > epochs:
            raise Enough

    try:
        for _ in run.train(pause):
            pass
    except Enough:
        pass
    return median(steps)
