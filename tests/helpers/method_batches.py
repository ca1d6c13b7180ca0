"""Modules of methods before training, and batches for them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from helpers.synthetic_features import SETTINGS
from helpers.synthetic_training import CPU
from trml.features.contract import FeatureSet
from trml.methods.contract import Labelled, Method
from trml.training.contract import Cell
from trml.training.data import Data, load_data
from trml.training.new_method import method_class, new_method, shape_of, shaping_options

NAN = float("nan")


def method_and_data(
    cell: Cell, features: FeatureSet, dtype: torch.dtype = torch.float64, fill: float = NAN
) -> tuple[Method, Data]:
    """Return a cell's module before training, and the data with `fill` in place of every masked value."""
    data = load_data(features, CPU, dtype, fill)
    return new_method(cell, data, SETTINGS), data


def batch_of(
    cell: Cell,
    data: Data,
    present: Mapping[str, Tensor | bool] | None = None,
    split: str = "test",
    rows: Tensor | None = None,
) -> Labelled:
    """Return a batch with seeded draws.

    Args:
        cell: The cell whose method it is for.
        data: The features.
        present: Modality -> bool [B], or one value for all rows. Modalities that it does not name are present.
        split: The split.
        rows: Rows [B] of the split, all if None.
    """
    part = data.splits[split]
    rows = torch.arange(part.n) if rows is None else rows
    masks = {name: torch.ones(len(rows), 1, dtype=torch.bool) for name in data.modalities}
    for name, mask in (present or {}).items():
        masks[name] = masks[name] & torch.as_tensor(mask).reshape(-1, 1)
    method = method_class(cell.spec.target)
    generator = torch.Generator().manual_seed(1)
    draws = {
        name: torch.rand(len(rows), draw.size, generator=generator)
        for name, draw in method.draws(shape_of(cell.spec, data), shaping_options(cell.spec)).items()
    }
    losses = torch.full((SETTINGS.epochs, 2), NAN, dtype=data.dtype)
    signals, weight = data.signals(method.views, part, rows, masks), torch.ones(len(rows), dtype=data.dtype)
    return Labelled(signals, draws, part.label[rows], weight, losses)


def row_of(batch: Labelled, rows: Tensor | slice) -> Labelled:
    """Return some rows of a batch."""
    return Labelled(
        {name: type(signal)(*(x[rows] for x in signal)) for name, signal in batch.signals.items()},
        {name: numbers[rows] for name, numbers in batch.draws.items()},
        batch.label[rows],
        batch.weight[rows],
        batch.losses,
    )


def with_zero_draws(batch: Labelled) -> Labelled:
    """Return a batch whose draws are all zero."""
    return batch._replace(draws={name: torch.zeros_like(numbers) for name, numbers in batch.draws.items()})
