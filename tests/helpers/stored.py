"""Cells that a test puts into the store, each as a shard of its own, or has trained as one block."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trml.training.contract import BlockJob, Cell, Outcome, Settings
from trml.training.store import write_cells


def write_cell(
    cell: Cell, outcome: Outcome, ids: Mapping[str, list[str]], classes: Sequence[str] = (), about: Any = None
) -> None:
    """Put one finished training into the store."""
    write_cells([(cell, outcome)], ids, classes, {"device": "cpu", "wall_s": 0.1} if about is None else about)


def block_of(folder: Path, cells: Sequence[Cell], features: Path, settings: Settings) -> BlockJob:
    """Return the job of training cells on one thread of the CPU; its other files are below `folder`."""
    finished = folder / "made.done", folder / "made.weights"
    return BlockJob("made", finished, cells, (), features, folder / "unfinished", settings, {}, 1, "cpu")
