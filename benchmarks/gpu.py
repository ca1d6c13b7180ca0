"""Trainings a minute on a CUDA device, stacked against one by one.

At d=512 (hidden size 128, batches of 64, 24 epochs over 800 utterances): 64 cells as one stack, and 4 cells in stacks
of one.
After each was run once unmeasured they are run in turn, in three rounds; the ratio is the median within a round.

Then how many cells of pantomime's size ten minutes train, at the chunk size that `chunk: auto` gives: batches of 256
cells are trained for at least a minute, and the count is scaled to ten.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch

from benchmarks.row import Found, Note, Row
from benchmarks.synthetic import PANTOMIME, SIZES, Size, cells, settings, write_features
from benchmarks.timing import in_turn, ratio
from trml.device import set_up
from trml.features.contract import FeatureSet, read_features
from trml.training.trainer import train

CHUNK, ALONE, EPOCHS, ROUNDS = 64, 4, 24, 3
AT_ONCE, MEASURED_S, SCALED_S = 256, 60.0, 600.0


def measure(quick: bool) -> Iterator[Found]:
    """Nothing where there is no CUDA device."""
    if not torch.cuda.is_available():
        yield Note("no CUDA device here: not measured")
        return
    device = set_up("cuda", 1)
    yield Note(f"measured on {torch.cuda.get_device_name(device)}")
    with tempfile.TemporaryDirectory() as temporary:
        for size, part in ((SIZES[-1], stacked_or_alone), (PANTOMIME, in_ten_minutes)):
            features = read_features(write_features(Path(temporary) / size.name, size))
            yield from part(size, features, device, quick)


def stacked_or_alone(size: Size, features: FeatureSet, device: torch.device, quick: bool) -> Iterator[Row]:
    """Measure the stack against stacks of one."""
    epochs, rounds = (2, 1) if quick else (EPOCHS, ROUNDS)
    counts = {CHUNK: CHUNK, 1: ALONE}
    for chunk, count in counts.items():
        _train(size, count, features, device, epochs=1, chunk=chunk)
    actions = {
        f"chunk {chunk}": lambda chunk=chunk, count=count: _train(size, count, features, device, epochs, chunk)
        for chunk, count in counts.items()
    }
    taken = in_turn(actions, rounds)
    each = {chunk: [t / count for t in taken[f"chunk {chunk}"]] for chunk, count in counts.items()}
    for chunk, times in each.items():
        yield Row(f"{size.name}, chunk {chunk}", "cells a minute", 60 / median(times), "")
    yield Row(f"{size.name}, chunk {CHUNK}", "over one by one", ratio(each[1], each[CHUNK]), "times")


def in_ten_minutes(size: Size, features: FeatureSet, device: torch.device, quick: bool) -> Iterator[Row]:
    """Whole trainings until a minute is over, scaled."""
    epochs, at_least = (2, 0.0) if quick else (EPOCHS, MEASURED_S)
    _train(size, AT_ONCE, features, device, epochs=1, chunk=None)
    start, done = time.perf_counter(), 0
    while done == 0 or time.perf_counter() - start < at_least:
        _train(size, AT_ONCE, features, device, epochs, chunk=None)
        done += AT_ONCE
    taken = time.perf_counter() - start
    yield Row(f"{size.name}, chunk auto", "cells measured", done, "")
    yield Row(f"{size.name}, chunk auto", "measured for", taken, "s")
    yield Row(f"{size.name}, chunk auto", "cells in ten minutes", done / taken * SCALED_S, "")


def _train(size: Size, count: int, features: FeatureSet, device: torch.device, epochs: int, chunk: int | None) -> None:
    """Outcomes are arrays on the CPU, so when it returns the device has finished."""
    train(cells("trml", size, count), features, settings(size, epochs, chunk), device, lambda left: None)
