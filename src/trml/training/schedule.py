"""What every training follows, whoever runs it: batch orders, learning rates, masks, early stopping."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trml.seeding import generator

WARMUP_EPOCHS = 1


def batch_rows(seed: int, cell_seed: int, epoch: int, n: int, batch: int) -> NDArray[np.int64]:
    """Row numbers [steps, batch] of an epoch: a fresh order, the last incomplete batch left out.

    All cells of one seed share the order, whatever their method.
    """
    batch = min(batch, n)
    order = generator(seed, "batch order", cell_seed, epoch).permutation(n)
    return order[: n // batch * batch].reshape(-1, batch)


def draws(seed: int, cell_seed: int, epoch: int, steps: int, batch: int) -> NDArray[np.float32]:
    """Uniform draws [steps, batch, 2] for what a method does at random."""
    return generator(seed, "draws", cell_seed, epoch).random((steps, batch, 2), dtype=np.float32)


def learning_rate(base: float, step: int, steps_an_epoch: int, epochs: int) -> float:
    """Linear warm-up over the first epoch, then a cosine to zero."""
    warmup, total = WARMUP_EPOCHS * steps_an_epoch, epochs * steps_an_epoch
    if step < warmup:
        return base * (step + 1) / warmup
    return base * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


@dataclass
class EarlyStopping:
    """The best epoch so far on dev, of one cell. After `patience` epochs without a better one it is finished."""

    patience: int
    best: float = math.inf
    best_epoch: int = -1
    epoch: int = -1

    @property
    def finished(self) -> bool:
        return self.epoch - self.best_epoch >= self.patience

    def update(self, value: float) -> bool:
        """Take the dev loss of the next epoch; True if it is the best so far. A finished cell takes none."""
        if self.finished:
            return False
        self.epoch += 1
        if value < self.best:
            self.best, self.best_epoch = value, self.epoch
            return True
        return False
