"""A work/ in which everything is there and nothing was computed."""

from pathlib import Path

import numpy as np
import torch

from trml.base.artifacts import new_folder, write_json
from trml.base.progress import track
from trml.missing.conditions import conditions
from trml.planning.plan import Cell, Plan
from trml.training.contract import write_cell
from trml.training.stack_run import Outcome

_UTTERANCES = 8


def fill(plan: Plan, root: Path) -> None:
    """Make all that the Snakefile looks for, below `root`: cells, blocks, finished folders, the published copy."""
    ids = {split: [f"{split}{i}" for i in range(_UTTERANCES)] for split in ("valid", "test")}
    for cell in track(plan.cells, len(plan.cells), "  cells written"):
        write_cell(plan, cell, _outcome(cell), ids, {"wall_s": 0.0})
    for block in plan.blocks.values():
        write_json(block.path, {"cells": [cell.name for cell in block.cells]})
    for path, finished in plan.folders:
        if not (path / finished).is_file():
            with new_folder(path, finished) as folder:
                write_json(folder / finished, {"made": "by the benchmark"})
    write_json(root / "results" / plan.name / "manifest.json", {"digest": plan.results.name, "files": {}})
    stamp = plan.work / "published" / plan.results.name
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()


def _outcome(cell: Cell) -> Outcome:
    predictions = {key: np.zeros(_UTTERANCES, dtype=np.float32) for key in conditions(cell)}
    history = [{"epoch": 0, "train_loss": 1.0, "dev_loss": 1.0}]
    return Outcome(predictions, history, 0, {"weight": torch.zeros(1)})
