"""The choice on dev: which options' values each method is run with on a dataset.

Every method has the same number of trials. A trial is trained with each modality missing, on seeds that nothing else
uses; the trial with the lowest mean of the best dev losses is chosen. Test labels play no part.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from trml.base.errors import StoreError
from trml.training.contract import Cell, Trial, read_cell


def choose(trials: Mapping[str, Mapping[str, Trial]]) -> dict[str, dict[str, Any]]:
    """Return what was chosen, by method: trials, dev_loss, median_dev_loss and options.

    Args:
        trials: Method -> trial -> what was trained. Every method has the same number.

    Raises:
        StoreError: If a training of the search is absent or damaged.
    """
    return {method: _best(of_method) for method, of_method in trials.items()}


def _best(trials: Mapping[str, Trial]) -> dict[str, Any]:
    losses = {name: _dev_loss(trial.cells) for name, trial in trials.items()}
    best = min(losses, key=lambda name: losses[name])
    return {
        "trials": len(losses),
        "dev_loss": round(losses[best], 4),
        "median_dev_loss": round(float(np.median(list(losses.values()))), 4),
        "options": dict(trials[best].options),
    }


def _dev_loss(cells: Sequence[Cell]) -> float:
    """Return the mean over trainings of the best dev loss, infinite where one of them failed."""
    losses = []
    for cell in cells:
        if not cell.is_done:
            raise StoreError(f"{cell.folder} is absent: a training of the search on dev. Make it: make search")
        record, _ = read_cell(cell)
        history = pl.read_parquet(cell.folder / "history.parquet")
        losses.append(np.inf if record["failed"] else history["dev_loss"].to_numpy().min())
    return float(np.mean(losses))
