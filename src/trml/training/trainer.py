"""Trains many cells as few programs: which cells go together, and in stacks of which size.

Cells of one structure make stacks (stack_run.py). Cells are handed over as soon as they leave their stack.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import ceil
from pathlib import Path

import torch

from trml.base.digests import digest
from trml.features.contract import FeatureSet
from trml.training import schedule
from trml.training.contract import Cell, Outcome, Settings
from trml.training.data import Data, load_data
from trml.training.memory import chunk_size
from trml.training.new_method import method_class, pattern_of, shaping_options
from trml.training.resume import Unfinished, resume
from trml.training.stack_run import StackRun


def train(
    cells: Sequence[Cell],
    features: FeatureSet,
    settings: Settings,
    device: torch.device,
    done: Callable[[Sequence[tuple[Cell, Outcome]]], None],
    *,
    dtype: torch.dtype = torch.float32,
    fill: float = 0.0,
    unfinished: Unfinished | None = None,
    progress: Callable[[float], None] = lambda cells: None,
) -> None:
    """Train cells, and hand over those that leave their stack together.

    Args:
        cells: What to train. Cells of one digest are the same training.
        features: Of all of them.
        settings: How they are trained.
        device: Where.
        done: Called with the cells that left together, and what each left.
        dtype: Of weights and signals.
        fill: What stands in place of every masked value (NaN in tests).
        unfinished: Keeps what is left before its end.
        progress: Called with how many of the cells are trained, in parts of a cell.

    Raises:
        Interrupted: If the process was asked to stop; what was in training is saved.
        ContractError: If a method does not hold to the contract.
    """
    data = load_data(features, device, dtype, fill)
    trained = 0
    for run, path in _runs(cells, data, settings, unfinished):
        size = len(run.cells)

        def pause(run: StackRun, path: Path | None, once_done: int) -> None:
            progress(once_done - len(run.cells) * (1 - run.epoch / run.settings.epochs))
            if unfinished and path:
                unfinished.watch(run, path)

        for left in run.train(partial(pause, run, path, trained + size)):
            done(left)
        if unfinished and path:
            unfinished.clear(path)
        trained += size


def _runs(
    cells: Sequence[Cell], data: Data, settings: Settings, unfinished: Unfinished | None
) -> Iterator[tuple[StackRun, Path | None]]:
    """Yield the runs, each with the file it is saved in: first those that an earlier process left, then new ones."""
    wanted = {cell.digest: cell for cell in cells}
    fixed = data.device.type != "cpu"
    for saved in unfinished.saved() if unfinished else ():
        places = [i for i, name in enumerate(saved.cells) if name in wanted]
        if unfinished and not places:
            unfinished.clear(saved.path)
        elif places:
            of_run = [wanted.pop(saved.cells[i]) for i in places]
            run = StackRun(of_run, data, settings, shape=len(saved.tensors["total"]) if fixed else None)
            resume(run, saved, places)
            yield run, saved.path
    groups: dict[str, list[Cell]] = {}
    for cell in wanted.values():
        groups.setdefault(_structure(cell, data, settings), []).append(cell)
    for group in groups.values():
        group.sort(key=lambda cell: cell.spec.seed)  # stable; a seed's batches are read once for all its cells in a run
        size = settings.chunk or chunk_size(StackRun(group[:1], data, settings))
        pieces = ceil(len(group) / size)
        for i in range(pieces):
            part = group[i * len(group) // pieces : (i + 1) * len(group) // pieces]
            path = unfinished.folder / f"{digest([cell.digest for cell in part])}.chunk" if unfinished else None
            yield StackRun(part, data, settings, shape=size + 1 if fixed else None), path


def _structure(cell: Cell, data: Data, settings: Settings) -> str:
    """Return what cells that may share a stack have in common.

    Their class, all options but those that are tensors, the number of epochs, what may be missing where the module is
    shaped by it, the widths of their presence masks, and how many batches of which lengths a pass makes.
    """
    spec, missing, settings = cell.spec, pattern_of(cell.spec, data), settings.of(cell.spec)
    method, options = method_class(spec.target), shaping_options(spec)
    train = data.splits["train"]
    present = train.masked(settings.corpus, missing, spec.rate, spec.seed, spec.absence)
    of_draw, buckets = train.of_draw(spec.seed), data.lengths(method.views, train).bucket
    lost = sorted(map(sorted, missing.lost)) if missing and method.shaped_by_missing else None
    widths = [mask.shape[1] for mask in present.values()]
    walks = {
        (each.rows, each.batch_size or settings.batch_size)
        for epoch in range(settings.epochs)
        for each in method.passes(epoch, options)
    }
    batches = {
        walked: schedule.batches(schedule.usable(walked[0], of_draw, present), buckets, walked[1])
        for walked in sorted(walks)
    }
    of_walks = [(walked, size, longest.tolist()) for walked, (size, longest) in batches.items()]
    return repr((spec.target, sorted(options.items()), settings.epochs, lost, widths, of_walks))
