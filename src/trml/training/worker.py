"""Trains a block: skips the cells that are in the store, trains the others, stores each."""

import platform
import time
from collections.abc import Sequence

import torch

from trml import __version__
from trml.base.artifacts import write_text
from trml.base.commands import run_again
from trml.base.digests import versions
from trml.base.errors import ContractError
from trml.base.progress import Meter, say
from trml.features.contract import read_features
from trml.training.contract import BlockJob, Cell, Outcome
from trml.training.resume import Unfinished, asked_to_stop
from trml.training.store import is_done, pack, write_cells
from trml.training.trainer import train


def train_block(job: BlockJob, device: torch.device) -> None:
    """Complete the block's cells in the store and write the files that say so.

    Raises:
        ContractError: If torch runs on another kind of device or other threads than the cells' recipes say.
        Interrupted: If the process was asked to stop; finished cells are in the store, those in training are saved.
    """
    _check_machine(job, device)
    features = read_features(job.features)
    todo = [cell for cell in job.cells if not is_done(cell, with_weights=cell.digest in job.restored)]
    stored = len(job.cells) - len(todo)
    say(f"block {job.name}: {stored} of {len(job.cells)} cells are in the store, {len(todo)} to train")
    ids = {split: features.index["utterance_id"].gather(features.rows(split)).to_list() for split in ("valid", "test")}
    about = {
        **job.about,
        "device": str(device),
        "machine": platform.machine(),
        "threads": job.threads,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "versions": {"trml": __version__, "python": platform.python_version(), **versions("torch", "numpy")},
    }
    meter, last = Meter(f"block {job.name}, cells", len(todo)), time.monotonic()

    def done(left: Sequence[tuple[Cell, Outcome]]) -> None:
        nonlocal last
        now = time.monotonic()
        for cell, outcome in left:
            if outcome.failed:
                say(f"cell {cell.name} failed: {outcome.failed}. Results show it as failed")
        # A cell of a stack has no time of its own: those that leave together share what passed since others did.
        share = round((now - last) / len(left), 3)
        write_cells(left, ids, features.info.classes, {**about, "wall_s": share})
        last = now

    if todo:
        with asked_to_stop() as stopping:
            unfinished = Unfinished(job.unfinished, stopping)
            train(todo, features, job.settings, device, done, unfinished=unfinished, progress=meter.update)
        meter.end()
        pack(job.cells)
    for path in job.finished:
        write_text(path, "")


def _check_machine(job: BlockJob, device: torch.device) -> None:
    """Raise ContractError unless torch runs as the recipes say: their digests would name other bits."""
    threads = torch.get_num_threads()
    if (threads, device.type) != (job.threads, job.device):
        raise ContractError(
            f"block {job.name}: torch runs {threads} threads on {device.type}; the recipes of its cells say "
            f"{job.threads} on {job.device}. Train it by its workflow: {run_again()}"
        )
