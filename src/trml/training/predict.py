"""Predictions of a stack: the outputs that the dev loss is of, and the final ones under every condition."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from trml.methods.contract import Batch
from trml.missing.conditions import predicted_under
from trml.training.contract import Cell, Predicted, Settings
from trml.training.data import Data, Present, Split, of_cells
from trml.training.new_method import pattern_of
from trml.training.stack import Stack
from trml.training.walk import OwnedDraws, draws_at_evaluation, stacked


def words(cell: Cell, data: Data) -> list[tuple[str, str]]:
    """Return what a cell is predicted under at the end, as (split, present)."""
    return predicted_under(pattern_of(cell.spec, data), data.modalities)


def as_predicted(outputs: Tensor, spread: Tensor | None) -> Predicted:
    """Return outputs [N, 1] as scores, or logits [N, K] as class numbers and probabilities, f32 on the CPU."""
    std = None if spread is None else spread.float().cpu().numpy()
    if outputs.shape[-1] == 1:
        return Predicted(outputs.squeeze(-1).float().cpu().numpy(), std)
    probabilities = outputs.softmax(dim=-1).float().cpu().numpy()
    return Predicted(outputs.argmax(dim=-1).float().cpu().numpy(), std, probabilities)


@torch.no_grad()
def outputs_of(
    stack: Stack,
    values: Tensor,
    data: Data,
    split: Split,
    present: Present,
    draws: Mapping[str, OwnedDraws],
    batch_size: int,
    pause: Callable[[], None],
) -> Tensor:
    """Return the outputs [C, N, outputs] on a split, with the parameters in `values` [C, P].

    `present` has bool [C, N, 1 or T] for each modality. `pause` is called after each batch; it may raise.
    """
    order, parts = [], []
    for rows, batch in _batches(stack, data, split, present, draws, batch_size):
        order.append(rows)
        parts.append(stack.outputs(values, batch))
        pause()
    return _in_order(parts, order)


@torch.no_grad()
def final_predictions(
    stack: Stack, values: Tensor, cells: Sequence[Cell], data: Data, settings: Settings
) -> dict[tuple[str, str], list[Predicted]]:
    """Return what each of C cells predicts by (split, present), under all that any of them is predicted under.

    Args:
        stack: The modules of the cells.
        values: Their best parameters, [C, P].
        cells: All of the stack, the idle ones too.
        data: The features.
        settings: How the cells are trained.
    """
    draws = {name: draws_at_evaluation(stack.draws, data.splits[name], cells, settings) for name in ("valid", "test")}
    predictions = {}
    for name, word in dict.fromkeys(key for cell in cells for key in words(cell, data)):
        split = data.splits[name]
        by_seed = {seed: split.under(word, settings.corpus, seed) for seed in {cell.spec.seed for cell in cells}}
        present = stacked([by_seed[cell.spec.seed] for cell in cells], data.device)
        order, outputs, spreads = [], [], []
        for rows, batch in _batches(stack, data, split, present, draws[name], settings.batch_size):
            order.append(rows)
            outputs.append(stack.outputs(values, batch))
            spreads.append(stack.spreads(values, batch))
        known = [spread for spread in spreads if spread is not None]
        std = _in_order(known, order) if known else [None] * len(cells)
        predictions[name, word] = [
            as_predicted(*of_cell) for of_cell in zip(_in_order(outputs, order), std, strict=True)
        ]
    return predictions


def _batches(
    stack: Stack, data: Data, split: Split, present: Present, draws: Mapping[str, OwnedDraws], batch_size: int
) -> Iterator[tuple[Tensor, Batch]]:
    """Yield a split as batches of all cells, each with its rows, the shortest utterances first."""
    owner = torch.zeros(len(stack.values), dtype=torch.int64, device=data.device)
    lengths = data.lengths(stack.module.views, split)
    order = np.argsort(lengths.bucket, kind="stable")
    for places in np.split(order, range(batch_size, split.n, batch_size)):
        rows = torch.from_numpy(places).to(data.device)
        here = {modality: mask[:, rows] for modality, mask in present.items()}
        steps = lengths.of(lengths.bucket[places[-1]])
        signals = data.signals(stack.module.views, split, rows.unsqueeze(0), here, owner, steps)
        drawn = {
            name: of_cells(numbers[:, rows] if stack.draws[name].varies == "row" else numbers, of_group)
            for name, (numbers, of_group) in draws.items()
        }
        yield rows, Batch(signals, drawn)


def _in_order(parts: Sequence[Tensor], order: Sequence[Tensor]) -> Tensor:
    """Return what batches gave, [C, B, ...] each, as one array [C, N, ...] in the order of a split's rows."""
    return torch.cat([*parts], dim=1)[:, torch.cat([*order]).argsort()]
