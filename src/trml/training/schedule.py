"""What every training follows, whoever runs it: batch orders, learning rates, early stopping, divergence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trml.methods.contract import Rows
from trml.missing.pattern import Presence
from trml.seeding import generator

WARMUP_EPOCHS = 1


def usable(rows: Rows, of_draw: NDArray[np.bool_], present: Presence) -> NDArray[np.bool_]:
    """Return which training utterances a pass walks over, bool [n].

    Args:
        rows: All, or those that are (or are not) complete: of which something of every modality is left.
        of_draw: The utterances of the cell's training set, bool [n].
        present: Modality -> bool [n, 1] or [n, T].
    """
    if rows == "all":
        return of_draw
    complete: NDArray[np.bool_] = np.logical_and.reduce([mask.any(axis=1) for mask in present.values()])
    return of_draw & (complete if rows == "complete" else ~complete)


def batches(n: int, batch_size: int) -> tuple[int, int]:
    """Return how many batches n utterances make, and of which size; the last incomplete one is left out."""
    size = min(batch_size, n)
    return (n // size, size) if n else (0, 0)


def batch_rows(
    seed: int, epoch: int, which: int, cell_seed: int, usable: NDArray[np.bool_], batch_size: int
) -> NDArray[np.int64]:
    """Return row numbers [steps, batch] of pass `which` of an epoch: a fresh order of the usable rows.

    All cells of one seed share the order, whatever their method. Where only some rows are usable, the others are left
    out of it.
    """
    order = generator(seed, "batch order", cell_seed, epoch, which).permutation(len(usable))
    order = order[usable[order]]
    steps, size = batches(len(order), batch_size)
    return order[: steps * size].reshape(steps, size)


def learning_rate(base: float, epoch: int, step: int, steps: int, epochs: int) -> float:
    """Return the learning rate of a step: a linear warm-up over the first epoch, then a cosine to zero.

    Args:
        base: The highest rate.
        epoch: From 0, of `epochs`.
        step: From 0, of the `steps` of this epoch.
        steps: See `step`.
        epochs: See `epoch`.
    """
    if epoch < WARMUP_EPOCHS:
        return base * (epoch + (step + 1) / steps) / WARMUP_EPOCHS
    gone = (epoch - WARMUP_EPOCHS + step / steps) / max(1, epochs - WARMUP_EPOCHS)
    return base * 0.5 * (1 + math.cos(math.pi * gone))


@dataclass
class Course:
    """The course of one cell's training: its history, its best epoch on dev, and when it ends.

    It ends after `patience` epochs without a better dev loss, after `epochs`, or as soon as a loss is not finite; then
    `failed` says which.
    """

    epochs: int
    patience: int
    history: list[dict[str, float]]
    best: float = math.inf
    best_epoch: int = -1
    failed: str | None = None

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to train."""
        ran = len(self.history)
        return self.failed is not None or ran >= self.epochs or ran - 1 - self.best_epoch >= self.patience

    def update(self, train_loss: float, dev_loss: float) -> bool:
        """Take the losses of the next epoch; return True if it is the best so far."""
        epoch = len(self.history)
        self.history.append({"epoch": epoch, "train_loss": train_loss, "dev_loss": dev_loss})
        for name, value in (("training", train_loss), ("dev", dev_loss)):
            if not math.isfinite(value):
                self.failed = f"the {name} loss was {value} in epoch {epoch}"
                return False
        if dev_loss < self.best:
            self.best, self.best_epoch = dev_loss, epoch
            return True
        return False


def losses_so_far(courses: Sequence[Course], dtype: torch.dtype) -> Tensor:
    """Return the train and the dev loss of every epoch that ended, [C, epochs, 2]; NaN for those to come."""
    losses = torch.full((len(courses), courses[0].epochs, 2), math.nan, dtype=dtype)
    for i, course in enumerate(courses):
        if course.history:
            ended = [[epoch["train_loss"], epoch["dev_loss"]] for epoch in course.history]
            losses[i, : len(ended)] = torch.tensor(ended, dtype=dtype)
    return losses
