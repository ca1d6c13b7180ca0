"""The trainings of a configuration, one by one, in this process."""

from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from trml.base.errors import ConfigError, StoreError
from trml.config.compose import compose
from trml.config.load import check
from trml.device import set_up
from trml.planning.blocks import Block
from trml.planning.handover import block_job
from trml.planning.plan import Plan, plans
from trml.training.contract import BlockJob, Cell
from trml.training.store import read_cell
from trml.training.worker import train_block


def experiment(*overrides: str, config: str | Path = "config", work: str | Path = "work") -> "Experiment":
    """Return the trainings of a configuration.

    Args:
        overrides: As for `trml compose`: `experiment=pantomime`, `training.epochs=5`.
        config: The folder of configurations.
        work: The folder of artifacts.

    Raises:
        ConfigError: If the configuration is not valid.

    Examples:
        >>> import trml
        >>> study = trml.experiment("experiment=pantomime", "training.epochs=5")
        >>> study.cells("zero_fill").head()
        >>> study.train("zero_fill", rate=0.5, seed=2020)
    """
    params = check(yaml.safe_load(compose(list(overrides), Path(config))))
    return Experiment(plans(params, Path(work), Path(config))[0])


@dataclass(frozen=True)
class Experiment:
    """The trainings of an experiment on its own dataset. Made by `experiment`."""

    plan: Plan

    @cached_property
    def _cells(self) -> pl.DataFrame:
        rows = [
            {
                "cell": cell.digest,
                "method": training.method,
                "variant": training.variant,
                "victim": training.victim,
                "rate": training.rate,
                "seed": training.seed,
            }
            for training, cell in self.plan.trainings.items()
        ]
        return pl.DataFrame(rows)

    def cells(self, method: str | None = None) -> pl.DataFrame:
        """Return the trainings, of one method or all: cell, method, variant, victim, rate, seed."""
        return self._cells if method is None else self._cells.filter(method=method)

    def train(self, method: str, **which: Any) -> pl.DataFrame:
        """Train a cell, if the store lacks it, and return its predictions.

        Args:
            method: Its name.
            which: Values of columns of `cells` that the training has; of several such, the first is taken.

        Returns:
            utterance_id, split, present, prediction and, where the method gives them, spread and p_<class>.

        Raises:
            ConfigError: If there is no such training.
            StoreError: If the features are absent, or the training failed.
        """
        found = self.cells(method).filter(**which)
        if found.is_empty():
            raise ConfigError(f"no training of {method} has {which}; expected a row of cells({method!r})")
        if not (self.plan.features / "features.json").is_file():
            raise StoreError(f"{self.plan.features} is absent. Make it: snakemake --cores all features_only")
        cell = next(cell for cell in self.plan.cells if cell.digest == found["cell"][0])
        train_block(self._job(cell), set_up(*astuple(self.plan.compute)))
        record, predictions = read_cell(cell)
        if predictions is None:
            raise StoreError(f"the training {cell.name} failed and has no predictions: {record['failed']}")
        return predictions

    def _job(self, cell: Cell) -> BlockJob:
        """Return a block of this cell alone, which finishes none of the workflow's blocks."""
        block = Block(cell.digest, Path(), Path(), (cell,))
        return replace(block_job(self.plan, block), finished=())
