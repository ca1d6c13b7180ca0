"""Trains a block: takes from the store the cells that are there, trains the others, keeps each."""

import platform
import time

import torch

from trml import __version__
from trml.base.artifacts import write_json
from trml.base.digests import versions
from trml.base.progress import Meter, say
from trml.features.contract import read_features
from trml.planning.plan import Block, Cell, Plan
from trml.training.contract import is_done, write_cell
from trml.training.new_method import Settings
from trml.training.resume import Unfinished, asked_to_stop
from trml.training.stack_run import Outcome
from trml.training.trainer import train


def train_block(plan: Plan, block: Block, device: torch.device) -> None:
    """Complete the block's cells in the store and write the file that says so.

    Raises Interrupted when asked to stop; what is finished then is in the store, what is in training is saved.
    """
    features = read_features(plan.features)
    todo = [cell for cell in block.cells if not is_done(plan, cell)]
    there = len(block.cells) - len(todo)
    say(f"block {block.name}: {there} of {len(block.cells)} cells are in the store, {len(todo)} to train")
    ids = {split: features.index["utterance_id"].gather(features.rows(split)).to_list() for split in ("valid", "test")}
    about = {
        "device": str(device),
        "machine": platform.machine(),
        "versions": {"trml": __version__, "python": platform.python_version(), **versions("torch", "numpy")},
    }
    meter, last = Meter(f"block {block.name}, cells", len(todo)), time.monotonic()

    def done(cell: Cell, outcome: Outcome) -> None:
        nonlocal last
        now = time.monotonic()
        if outcome.failed:
            say(f"cell {cell.name} failed: {outcome.failed}. Results show it as failed")
        # A cell of a stack has no time of its own. What passed since the last one was kept adds up to the whole.
        write_cell(plan, cell, outcome, ids, {**about, "wall_s": round(now - last, 3)})
        last = now

    if todo:
        with asked_to_stop() as stopping:
            unfinished = Unfinished(plan.unfinished(block), stopping)
            train(todo, features, Settings.of(plan.params), device, done, unfinished=unfinished, progress=meter.update)
        meter.end()
    write_json(block.path, {"cells": [cell.name for cell in block.cells]})
