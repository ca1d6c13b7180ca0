"""Trains many cells as one program: which cells go together, and how many at once.

Cells of one structure make chunks (chunk.py); each cell is handed over as soon as it leaves its chunk.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import torch

from trml.base.digests import digest
from trml.features.contract import FeatureSet
from trml.training import schedule
from trml.training.data import Data, load_data
from trml.training.new_method import Settings, Trainable, method_class, victim_of_shape
from trml.training.resume import Unfinished
from trml.training.stack_run import Chunk, Outcome

CPU_CHUNK = 48  # more gain nothing; see docs/performance.md

GPU_CHUNK = 256


def train(
    cells: list[Any],
    features: FeatureSet,
    settings: Settings,
    device: torch.device,
    done: Callable[[Any, Outcome], None],
    *,
    dtype: torch.dtype = torch.float32,
    fill: float = 0.0,
    unfinished: Unfinished | None = None,
    progress: Callable[[float], None] = lambda cells: None,
) -> None:
    """Train the cells and call `done(cell, outcome)` for each as it leaves its chunk.

    `fill` stands in place of every masked value (NaN in tests). `unfinished` keeps what is left before its end;
    `progress` is told how many of the cells are trained, in parts of a cell.
    """
    data = load_data(features, device, dtype, fill)
    trained = 0
    for chunk, path in _chunks(cells, features, data, settings, unfinished):
        size = len(chunk.cells)

        def pause(chunk: Chunk, path: Path | None, once_done: int) -> None:
            progress(once_done - len(chunk.cells) * (1 - chunk.epoch / settings.epochs))
            if unfinished and path:
                unfinished.watch(chunk, path)

        for cell, outcome in chunk.fit(partial(pause, chunk, path, trained + size)):
            done(cell, outcome)
        if unfinished and path:
            unfinished.clear(path)
        trained += size


def _chunks(
    cells: list[Any], features: FeatureSet, data: Data, settings: Settings, unfinished: Unfinished | None
) -> Iterator[tuple[Chunk, Path | None]]:
    """The chunks, each with the file it is saved in: first those that an earlier process left, then new ones."""
    wanted = {cell.digest: cell for cell in cells}
    fixed = data.frame_mask.device.type != "cpu"
    for saved in unfinished.saved() if unfinished else ():
        places = [i for i, name in enumerate(saved.cells) if name in wanted]
        if unfinished and not places:
            unfinished.clear(saved.path)
        elif places:
            of_chunk = [wanted.pop(saved.cells[i]) for i in places]
            shape = len(saved.tensors["total"]) if fixed else None
            chunk = Chunk(of_chunk, features, data, settings, shape=shape)
            chunk.resume(saved.tensors, saved.rest, places)
            yield chunk, saved.path
    groups: dict[str, list[Any]] = {}
    for cell in wanted.values():
        groups.setdefault(_structure(cell, data, settings), []).append(cell)
    for group in groups.values():
        group.sort(key=lambda cell: cell.seed)  # stable; a seed's batches are read once for all its cells in a chunk
        size = settings.chunk or _chunk_size(Chunk(group[:1], features, data, settings))
        pieces = ceil(len(group) / size)
        for i in range(pieces):
            part = group[i * len(group) // pieces : (i + 1) * len(group) // pieces]
            path = unfinished.folder / f"{digest([cell.digest for cell in part])}.chunk" if unfinished else None
            yield Chunk(part, features, data, settings, shape=size + 1 if fixed else None), path


def _structure(cell: Trainable, data: Data, settings: Settings) -> str:
    """Cells that may share a stack have the same: their class, all options but those that are tensors, presence
    masks of frames or of whole modalities, and, where a pass walks over some utterances only, how many batches that
    makes."""
    method, train = method_class(cell.target), data.splits["train"]
    apart = sorted((k, v) for k, v in cell.options.items() if k not in (*method.tensors, "learning_rate"))
    present = train.masked(settings.corpus, cell.victim, cell.rate, cell.seed)
    kinds = {each.rows for epoch in range(settings.epochs) for each in method.passes(epoch)} - {"all"}
    batches = {
        rows: schedule.batches(int(schedule.usable(rows, present).sum()), settings.batch_size) for rows in sorted(kinds)
    }
    return repr((cell.target, apart, victim_of_shape(cell), cell.victim == "frames", batches))


def _chunk_size(sample: Chunk) -> int:
    """How many cells to train at once: what half of the memory holds, half of a core's share on the CPU."""
    if sample.device.type == "cuda":
        memory, most = torch.cuda.get_device_properties(sample.device).total_memory, GPU_CHUNK
    else:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (os.cpu_count() or 1)
        most = CPU_CHUNK
    return int(max(1, min(most, memory / 2 / sample.bytes_a_cell())))
