"""What every training follows, whoever runs it: batch orders, learning rates, early stopping, divergence.

Utterances of about the same length make a batch, which is cut to what holds them all: a sequence costs what it holds,
not what the corpus's longest holds. Buckets say which lengths are about the same (`data.Lengths`). The lengths of a
pass's batches follow from how long all utterances are and how many of them are usable; only a choice of utterances that
does not fit has its own. Their turns follow from the epoch. So nearly all cells have batches of the same lengths in the
same turns, and may be trained as one, though other utterances are complete in each.
"""

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


def batches(usable: NDArray[np.bool_], buckets: NDArray[np.int64], batch_size: int) -> tuple[int, NDArray[np.int64]]:
    """Return how large the batches of a pass are, and up to which bucket each may hold, [steps], longest first.

    They are those that nearly any equally large choice of rows fits into, so that most cells agree in them; a choice
    that does not fit has its own. The last n mod `batch_size` rows of an order make no batch.

    Args:
        usable: bool [n].
        buckets: Of all rows, [n].
        batch_size: At most.
    """
    total, n = len(buckets), int(usable.sum())
    if n == 0:
        return 0, np.empty(0, dtype=np.int64)
    size = min(batch_size, n)
    steps = n // size
    own = np.sort(buckets[usable])[::-1][: steps * size : size]
    longer = np.array([(buckets >= bucket).sum() for bucket in range(1, buckets.max() + 1)])
    expected = n * longer / total  # of n rows drawn from all, these are as long: hypergeometric
    spread = np.sqrt(expected * (1 - longer / total) * (total - n) / max(1, total - 1))
    enough = np.ceil((expected + 3 * spread) / size)  # batches for the rows of a bucket and of longer ones
    common = (np.arange(steps)[:, None] < enough).sum(axis=1)
    return size, common if (common >= own).all() else own


def batch_rows(
    seed: int,
    epoch: int,
    which: int,
    cell_seed: int,
    usable: NDArray[np.bool_],
    buckets: NDArray[np.int64],
    batch_size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a pass of an epoch: row numbers [steps, batch], and up to which bucket each batch may hold, [steps].

    It is a fresh order of the usable rows; the others are left out of it. All cells of one seed share the order,
    whatever their method, where all utterances are of one bucket.

    Args:
        seed: The experiment's.
        epoch: From 0.
        which: The place of the pass in its epoch.
        cell_seed: The training's.
        usable: bool [n], as `usable` returns it.
        buckets: Of all rows, [n].
        batch_size: At most.
    """
    order = generator(seed, "batch order", cell_seed, epoch, which).permutation(len(usable))
    size, longest = batches(usable, buckets, batch_size)
    order = order[usable[order]][: len(longest) * size]
    rows = order[np.argsort(-buckets[order], kind="stable")].reshape(len(longest), size)
    if len(set(longest.tolist())) > 1:
        turns = generator(seed, "turns of lengths", epoch, which).permutation(len(longest))
        rows, longest = rows[turns], longest[turns]
    return rows, longest


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
