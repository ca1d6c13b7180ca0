"""The search on dev: which options' values each method is run with on a corpus through an encoder.

Every method has the same number of trials (plan.TRIALS), in a Latin hypercube over the values that its configuration
names. A trial is trained at the study rate with each modality missing, on seeds that nothing else uses; the trial with
the lowest mean of the best dev losses is chosen. Test labels play no part.
"""

from typing import Any

import numpy as np
import polars as pl
import yaml

from trml.base.errors import StoreError
from trml.planning.plan import SEARCH_SEEDS, TRIALS, Plan
from trml.training.contract import is_done, read_cell


def choose(plan: Plan) -> dict[str, dict[str, Any]]:
    """What was chosen, by method: see config.Chosen. Raises StoreError where trainings of the search are absent."""
    return {method: _best(method, _losses(plan, method), plan) for method in plan.trial_cells}


def _best(method: str, losses: dict[str, float], plan: Plan) -> dict[str, Any]:
    best = min(losses, key=lambda trial: losses[trial])
    return {
        "trials": len(losses),
        "dev_loss": round(losses[best], 4),
        "median_dev_loss": round(float(np.median(list(losses.values()))), 4),
        "options": plan.trials[method][best],
    }


def _losses(plan: Plan, method: str) -> dict[str, float]:
    """The mean dev loss of each trial; infinite where one of its trainings failed."""
    found = {}
    for trial, cells in plan.trial_cells[method].items():
        losses = []
        for cell in cells:
            if not is_done(plan, cell):
                raise StoreError(
                    f"{plan.cell_folder(cell)} is absent: a training of the search on dev. Make it: make search"
                )
            record, _ = read_cell(plan, cell)
            history = pl.read_parquet(plan.cell_folder(cell) / "history.parquet")
            losses.append(np.inf if record["failed"] else history["dev_loss"].to_numpy().min())
        found[trial] = float(np.mean(losses))
    return found


def show(plan: Plan, chosen: dict[str, dict[str, Any]]) -> str:
    """The file in config/chosen."""
    protocol = plan.params.protocol
    head = (
        f"# What the search on dev chose on {plan.params.corpus.name} through {plan.params.encoder.name}, written by\n"
        f"# `make search`: {TRIALS} trials of each method, {' and '.join(protocol.modalities)} missing at rate "
        f"{protocol.study_rate:g}, seeds\n# {', '.join(map(str, SEARCH_SEEDS))}; the lowest mean dev loss.\n"
    )
    return head + yaml.safe_dump(chosen, sort_keys=False)
