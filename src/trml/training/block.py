"""Trains a block: takes from the store the cells that are there, trains the others, keeps each."""

import platform
import time
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from trml import __version__
from trml.cells import is_done, write_cell
from trml.errors import TrainingDiverged
from trml.features import read_features
from trml.plan import Block, Cell, Plan
from trml.progress import say, track
from trml.store import versions, write_json
from trml.training.grid import Outcome, Settings, train


def train_block(plan: Plan, block: Block, device: torch.device) -> None:
    """Complete the block's cells in the store and write the file that says so."""
    features = read_features(plan.features)
    todo = [cell for cell in block.cells if not is_done(plan, cell)]
    there = len(block.cells) - len(todo)
    say(f"block {block.name}: {there} of {len(block.cells)} cells are in the store, {len(todo)} to train")
    ids = {split: features.index["utterance_id"].gather(features.rows(split)).to_list() for split in ("valid", "test")}
    clock = _Clock()

    def done(cell: Cell, outcome: Outcome) -> None:
        if outcome.best_epoch < 0:
            raise TrainingDiverged(
                f"cell {cell.name}: the dev loss was not finite in any of {len(outcome.history)} epochs; nothing "
                "of it is kept. Try a smaller training.learning_rate, or look at the options of the method"
            )
        about = {
            "device": str(device),
            "machine": platform.machine(),
            "versions": {
                "trml": __version__,
                "python": platform.python_version(),
                **versions("torch", "numpy"),
            },
            "wall_s": round(clock.seconds_a_cell, 2),
        }
        write_cell(plan, cell, outcome, ids, about)

    def said(chunks: Iterable[list[Any]], n: int) -> Iterator[list[Any]]:
        return track(clock.each(chunks), n, f"block {block.name}, chunks of up to {plan.params.training.chunk} cells")

    if todo:
        train(todo, features, Settings.of(plan.params), device, done, said=said)
    write_json(block.path, {"cells": [cell.name for cell in block.cells]})


class _Clock:
    """How long the chunk in hand has run so far, shared out over its cells."""

    def __init__(self) -> None:
        self.start, self.cells = time.monotonic(), 1

    @property
    def seconds_a_cell(self) -> float:
        return (time.monotonic() - self.start) / self.cells

    def each(self, chunks: Iterable[list[Any]]) -> Iterator[list[Any]]:
        for chunk in chunks:
            self.start, self.cells = time.monotonic(), len(chunk)
            yield chunk
