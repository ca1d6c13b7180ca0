"""What the cells of a stack go through: their presence masks, and the rows and draws of a pass.

Cells that share a seed share rows and draws where they may; these are made, read and standardised once (S), and
handed to each of the C cells by its owner.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from trml.methods.contract import Draw, Pass, Step
from trml.missing.pattern import Presence
from trml.training import schedule
from trml.training.contract import Cell, Settings
from trml.training.data import Data, Lengths, Split, of_cells
from trml.training.draws import Drawn, draws_of_pass, draws_of_split, shared_by
from trml.training.new_method import pattern_of


class OwnedDraws(NamedTuple):
    """The draws of one name: values with the group [S] as a dimension, and which group each cell belongs to, [C]."""

    values: Tensor
    owner: Tensor


class Walk(NamedTuple):
    """A pass of one epoch.

    Attributes:
        steps: What is done on each batch.
        rows: [steps, S, B], of the training split.
        owner: [C], which of the S each cell has.
        draws: By name, [steps, S, B, size] or [steps, S, size]; S is each name's own.
        lengths: Of each batch: modality -> how many steps hold all its rows.
    """

    steps: tuple[Step, ...]
    rows: Tensor
    owner: Tensor
    draws: Mapping[str, OwnedDraws]
    lengths: Sequence[Mapping[str, int]]

    def draws_of(self, i: int) -> dict[str, Tensor]:
        """Return the draws of batch i: [C, B, size] or [C, size] by name."""
        return {name: of_cells(drawn.values[i], drawn.owner) for name, drawn in self.draws.items()}


def walk(
    each: Pass,
    which: int,
    epoch: int,
    cells: Sequence[Cell],
    train: Split,
    lengths: Lengths,
    present: Mapping[str, Tensor],
    wanted: Mapping[str, Draw],
    settings: Settings,
) -> Walk:
    """Return a pass as the arrays it goes through.

    Where all rows are walked over, cells of one seed share theirs.

    Args:
        each: The pass.
        which: Its place in the epoch.
        epoch: From 0.
        cells: Those of the stack, [C].
        train: The training split.
        lengths: Of its utterances.
        present: Presence in it, modality -> bool [C, N, 1 or T].
        wanted: What the method draws.
        settings: How the cells are trained.
    """
    device = next(iter(present.values())).device
    seeds = [cell.spec.seed for cell in cells]
    places, owner = _groups(seeds if each.rows == "all" else range(len(cells)))
    orders = [
        schedule.batch_rows(
            settings.experiment_seed,
            epoch,
            which,
            seeds[place],
            schedule.usable(
                each.rows,
                train.of_draw(seeds[place]),
                {name: mask[place].cpu().numpy() for name, mask in present.items()},
            ),
            lengths.bucket,
            each.batch_size or settings.batch_size,
        )
        for place in places
    ]
    rows = np.stack([of_seed for of_seed, _ in orders], axis=1)
    buckets = orders[0][1]  # of all cells alike, or they would not be of one structure (trainer.py)
    steps, _, size = rows.shape

    def draw(some: Mapping[str, Draw], cell: Cell) -> Drawn:
        return draws_of_pass(some, settings.experiment_seed, epoch, which, (steps, size), cell)

    return Walk(
        each.steps,
        torch.from_numpy(rows).to(device),
        torch.tensor(owner, device=device),
        _owned(wanted, cells, draw, 1, device),
        [lengths.of(bucket) for bucket in buckets],
    )


def draws_at_evaluation(
    wanted: Mapping[str, Draw], split: Split, cells: Sequence[Cell], settings: Settings
) -> dict[str, OwnedDraws]:
    """Return the draws with which a split is predicted: by name, [S, N, size] or [S, size]."""

    def draw(some: Mapping[str, Draw], cell: Cell) -> Drawn:
        return draws_of_split(some, settings.experiment_seed, split.name, split.n, cell)

    return _owned(wanted, cells, draw, 0, split.rows.device)


def presence_of(cells: Sequence[Cell], data: Data, settings: Settings) -> dict[str, dict[str, Tensor]]:
    """Return what the cells have in training: split (train, valid) -> modality -> bool [C, N, 1 or T]."""
    patterns = [pattern_of(cell.spec, data) for cell in cells]
    rates = {"train": [cell.spec.rate for cell in cells], "valid": [cell.spec.dev_rate for cell in cells]}
    return {
        name: stacked(
            [
                data.splits[name].masked(settings.corpus, pattern, rate, cell.spec.seed, cell.spec.absence)
                for cell, pattern, rate in zip(cells, patterns, of_split, strict=True)
            ],
            data.device,
        )
        for name, of_split in rates.items()
    }


def labels_of(cells: Sequence[Cell], data: Data, settings: Settings) -> Tensor:
    """Return the training labels that the cells are given, [C, N]."""
    train = data.splits["train"]
    specs = [cell.spec for cell in cells]
    return torch.stack([train.given_labels(settings.corpus, s.labels, s.label_noise, s.seed) for s in specs])


def weights_of(cells: Sequence[Cell], split: Split, present: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    """Return the weight of each row of a split in each cell's losses, [C, N]; `present` is that of all cells."""
    weights = torch.ones(len(cells), split.n, device=split.rows.device, dtype=dtype)
    for i, cell in enumerate(cells):
        if cell.spec.weighted:
            own = {name: mask[i].cpu().numpy() for name, mask in present.items()}
            weights[i] = split.weights(own, cell.spec.seed)
    return weights


def stacked(present: Sequence[Presence], device: torch.device) -> dict[str, Tensor]:
    """Return the presence masks of C cells as one: modality -> bool [C, N, 1 or T]."""
    return {
        modality: torch.from_numpy(np.stack([mask[modality] for mask in present])).to(device) for modality in present[0]
    }


def _owned(
    wanted: Mapping[str, Draw],
    cells: Sequence[Cell],
    draw: Callable[[Mapping[str, Draw], Cell], Drawn],
    axis: int,
    device: torch.device,
) -> dict[str, OwnedDraws]:
    """Return the draws of all cells, their groups stacked along an axis."""
    owned = {}
    by_seed, by_cell = _groups([cell.spec.seed for cell in cells]), _groups([cell.digest for cell in cells])
    for some, (places, owner) in ((shared_by(wanted, "seed"), by_seed), (shared_by(wanted, "cell"), by_cell)):
        drawn = [draw(some, cells[place]) for place in places] if some else []
        for name in some:
            values = torch.from_numpy(np.stack([numbers[name] for numbers in drawn], axis=axis)).to(device)
            owned[name] = OwnedDraws(values, torch.tensor(owner, device=device))
    return {name: owned[name] for name in wanted}


def _groups(keys: Sequence[object]) -> tuple[list[int], list[int]]:
    """Return the place of the first of each group of equal keys, and the group of each key."""
    distinct = list(dict.fromkeys(keys))
    return [list(keys).index(key) for key in distinct], [distinct.index(key) for key in keys]
