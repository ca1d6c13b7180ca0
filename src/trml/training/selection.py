"""The choice on dev: which options' values each method is run with on a dataset.

Every method has the same number of trials. A trial is trained with each modality missing, on seeds that nothing else
uses; the trial with the lowest mean of the best dev losses is chosen. Test labels play no part.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t

from trml.base.errors import StoreError
from trml.training.contract import Cell, Trial, read_cell

Losses = NDArray[np.float64]  # of the trainings of a trial


def choose(trials: Mapping[str, Mapping[str, Trial]]) -> dict[str, dict[str, Any]]:
    """Return what was chosen, by method: trials, as_good, dev_loss, median_dev_loss and options.

    Args:
        trials: Method -> trial -> what was trained. Every method has the same number.

    Raises:
        StoreError: If a training of the search is absent or damaged.
    """
    return {method: _best(of_method) for method, of_method in trials.items()}


def compared(trials: Mapping[str, Trial], options: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Return by how much the dev loss of an earlier choice is above that of the best trial, with its interval.

    Args:
        trials: Of one method.
        options: The earlier choice's.

    Returns:
        The difference and the ends of its 95 % interval, over trainings; None if no trial has these options.
    """
    losses = {name: _dev_losses(trial.cells) for name, trial in trials.items()}
    earlier = next((name for name, trial in trials.items() if trial.options == options), None)
    return None if earlier is None else _above(losses[earlier], losses[_lowest(losses)])


def _best(trials: Mapping[str, Trial]) -> dict[str, Any]:
    losses = {name: _dev_losses(trial.cells) for name, trial in trials.items()}
    best = _lowest(losses)
    means = [float(each.mean()) for each in losses.values()]
    return {
        "trials": len(losses),
        "as_good": sum(name == best or _above(each, losses[best])[1] <= 0 for name, each in losses.items()),
        "dev_loss": round(float(losses[best].mean()), 4),
        "median_dev_loss": round(float(np.median(means)), 4),
        "options": dict(trials[best].options),
    }


def _lowest(losses: Mapping[str, Losses]) -> str:
    return min(losses, key=lambda name: float(losses[name].mean()))


def _above(losses: Losses, best: Losses) -> tuple[float, float, float]:
    """Return the mean difference and its 95 % interval, by Student's t over trainings; infinite where one failed."""
    difference = losses - best
    mean = float(difference.mean())
    if not np.isfinite(mean):
        return np.inf, np.inf, np.inf
    error = float(difference.std(ddof=1)) / np.sqrt(len(difference)) if len(difference) > 1 else np.inf
    half = float(t.ppf(0.975, max(1, len(difference) - 1))) * error
    return mean, mean - half, mean + half


def _dev_losses(cells: Sequence[Cell]) -> Losses:
    """Return the best dev loss of each training, infinite where it failed."""
    losses = []
    for cell in cells:
        if not cell.is_done:
            raise StoreError(f"{cell.folder} is absent: a training of the search on dev. Make it: make search")
        record, _ = read_cell(cell)
        history = pl.read_parquet(cell.folder / "history.parquet")
        losses.append(np.inf if record["failed"] else float(history["dev_loss"].to_numpy().min()))
    return np.array(losses)
