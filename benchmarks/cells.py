"""Trainings a minute, stacked, in a loop, and one process each.

Stacked: by the stacked trainer at several chunk sizes. In a loop: one after the other in one process, by the plain
trainer. One process each: it starts python, imports, reads the features and trains with the plain trainer.

Every training has 20 epochs (6 at d=128 and d=512) over 800 utterances of 8 frames (150 to validate, 250 to test) and
ends with its predictions; nothing is stored. All use one thread. "pantomime" has features of 64 numbers, hidden size 64
and batches of 64; d=128 has hidden size 128 and batches of 32; d=512 has hidden size 128 and batches of 64. A stack is
measured on as many cells as fit into it (4 at chunk 1). After each way was run once unmeasured, the ways are run in
turn, in two rounds (one at d=128 and d=512): rates are medians over rounds, ratios are medians of the ratios within a
round, above 1 where stacking is faster.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

import torch

from benchmarks import child
from benchmarks.row import Row
from benchmarks.synthetic import PANTOMIME, SIZES, Size, cells, settings, write_features
from benchmarks.timing import Action, in_turn, ratio
from trml.base.progress import say
from trml.device import set_up
from trml.features.contract import FeatureSet, read_features
from trml.training.reference import train_one
from trml.training.trainer import train

CHUNKS, EPOCHS, EPOCHS_OF_LARGE = (1, 4, 16, 40, 64), 20, 6
ROUNDS, ROUNDS_OF_LARGE = 2, 1
LOOPED, PROCESSES = 4, 2  # cells a round
LOOP, PROCESS = "loop", "process a cell"


def measure(quick: bool) -> Iterator[Row]:
    """Each size with TRML, and the first with zero_fill too."""
    device = set_up("cpu", 1)
    pairs = [(PANTOMIME, "trml"), (PANTOMIME, "zero_fill"), *((size, "trml") for size in SIZES[1:])]
    for size, method in pairs:
        say(f"  {size.name}, {method}")
        sized = size._replace(utterances=(128, 16, 16)) if quick else size
        with tempfile.TemporaryDirectory() as temporary:
            folder = write_features(Path(temporary) / "features", sized)
            yield from _compare(method, sized, folder, device, quick)


def _compare(method: str, size: Size, folder: Path, device: torch.device, quick: bool) -> Iterator[Row]:
    large = size.name != PANTOMIME.name
    epochs, rounds = (EPOCHS_OF_LARGE, ROUNDS_OF_LARGE) if large else (EPOCHS, ROUNDS)
    epochs, chunks, rounds = (2, CHUNKS[:2], 1) if quick else (epochs, CHUNKS, rounds)
    features = read_features(folder)
    counts = {f"chunk {chunk}": max(LOOPED, chunk) for chunk in chunks}
    counts |= {LOOP: LOOPED, PROCESS: 1 if quick else PROCESSES}

    def ways(epochs: int, most: int) -> dict[str, Action]:
        """Return the ways by name, each on at most so many cells."""
        of = {name: min(most, count) for name, count in counts.items()}
        actions: dict[str, Action] = {
            f"chunk {chunk}": _stacked(method, size, features, device, epochs, chunk, of[f"chunk {chunk}"])
            for chunk in chunks
        }
        actions[LOOP] = _looped(method, size, features, epochs, of[LOOP])
        actions[PROCESS] = _processes(method, size, folder, epochs, of[PROCESS])
        return actions

    for action in ways(epochs=1, most=1).values():
        action()
    taken = in_turn(ways(epochs, max(counts.values())), rounds)
    each = {name: [seconds / counts[name] for seconds in taken[name]] for name in counts}
    for name, seconds in each.items():
        case = f"{size.name}, {method}, {name}"
        yield Row(case, "cells a minute", 60 / median(seconds), "")
        if name.startswith("chunk"):
            yield Row(case, f"over {LOOP}", ratio(each[LOOP], seconds), "times")
            yield Row(case, f"over {PROCESS}", ratio(each[PROCESS], seconds), "times")


def _stacked(
    method: str, size: Size, features: FeatureSet, device: torch.device, epochs: int, chunk: int, count: int
) -> Action:
    def action() -> None:
        train(cells(method, size, count), features, settings(size, epochs, chunk), device, lambda left: None)

    return action


def _looped(method: str, size: Size, features: FeatureSet, epochs: int, count: int) -> Action:
    def action() -> None:
        for cell in cells(method, size, count):
            train_one(cell, features, settings(size, epochs), dtype=torch.float32)

    return action


def _processes(method: str, size: Size, folder: Path, epochs: int, count: int) -> Action:
    """One after the other: as many cores as the other ways have."""

    def action() -> None:
        for cell in cells(method, size, count):
            job = {"spec": asdict(cell.spec), "settings": asdict(settings(size, epochs))}
            child.python("-m", "benchmarks.one_cell", str(folder), json.dumps(job))

    return action
