"""The choice on dev: which options' values each method is run with on a dataset.

Every method has the same number of trials. A trial is trained with each modality missing, on seeds that nothing else
uses; the trial with the lowest mean of the best dev losses is chosen. Test labels play no part.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from trml.base.errors import StoreError
from trml.training.contract import Cell, Trial
from trml.training.store import history_of, is_done, read_cell

Losses = NDArray[np.float64]  # of the trainings of a trial


def choose(trials: Mapping[str, Mapping[str, Trial]]) -> dict[str, dict[str, Any]]:
    """Return what was chosen, by method: trials, as_good, dev_loss, median_dev_loss and options.

    Args:
        trials: Method -> trial -> what was trained. Every method has the same number.

    Raises:
        StoreError: If a training of the search is absent or damaged.
    """
    return {method: _best(of_method) for method, of_method in trials.items()}


def against(trials: Mapping[str, Mapping[str, Trial]], earlier: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return sentences on the methods whose earlier choice is not the one of these trials: by how much it is worse.

    Args:
        trials: As for `choose`.
        earlier: Method -> what was chosen before, with its `options`.
    """
    lines = []
    for method, of_method in trials.items():
        if method not in earlier:
            continue
        losses = {name: _dev_losses(trial.cells) for name, trial in of_method.items()}
        best, options = _lowest(losses), earlier[method]["options"]
        before = next((name for name, trial in of_method.items() if trial.options == options), None)
        if before is None:
            lines.append(f"{method}: what was chosen before is no trial of this search")
        elif before != best:
            above, low, high = _above(losses[before], losses[best])
            lines.append(
                f"{method}: the dev loss of what was chosen before is {above:.4f} [{low:.4f}, {high:.4f}] higher"
            )
    return lines


def _best(trials: Mapping[str, Trial]) -> dict[str, Any]:
    losses = {name: _dev_losses(trial.cells) for name, trial in trials.items()}
    best = _lowest(losses)
    means = [float(each.mean()) for each in losses.values()]
    return {
        "trials": len(losses),
        "as_good": sum(name == best or bool(_above(each, losses[best])[1] <= 0) for name, each in losses.items()),
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
        if not is_done(cell):
            raise StoreError(f"cell {cell.name} is absent: a training of the search on dev. Make it: make search")
        record, _ = read_cell(cell)
        losses.append(np.inf if record["failed"] else float(history_of(cell)["dev_loss"].to_numpy().min()))
    return np.array(losses)
