"""Published results as polars frames. Nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.errors import DataMissing
from trml.base.files import not_a_file
from trml.base.nearest import nearest
from trml.evaluation.contract import PUBLISHED
from trml.report.result_files import (
    claims_in,
    is_results,
    manifest_of,
    parquet_in,
    predictions_of,
    protocol_of,
    scores_in,
    table_in,
    utterances_of,
)


def load(result: str | Path) -> "Result":
    """Return published results.

    Args:
        result: A name below results/, such as `pantomime_full`, or a folder.

    Raises:
        DataMissing: If there are no such results.

    Examples:
        >>> import trml
        >>> found = trml.load("pantomime_full")
        >>> found.metrics().filter(method="trml", condition="complete", metric="mae")["value"].mean()
    """
    for folder in (Path("results") / result, Path(result)):
        if is_results(folder):
            return Result(folder)
    names = sorted(path.parent.name for path in Path("results").glob("*/manifest.json"))
    raise DataMissing(
        f"there are no results {result}: no manifest.json in results/{result} or {result}{nearest(str(result), names)}"
    )


@dataclass(frozen=True)
class Result:
    """Published results. `folder` is results/<experiment>, or a copy of it."""

    folder: Path

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """What the results are of: experiment, versions, machine, digests and checksums."""
        return manifest_of(self.folder)

    @cached_property
    def datasets(self) -> list[str]:
        """The names of the further datasets, which `metrics`, `pairs` and `claims` take."""
        return sorted(path.stem.removeprefix("metrics_") for path in self.folder.glob("metrics_*.csv"))

    @cached_property
    def tables(self) -> list[str]:
        """The names of the tables, which `table` takes."""
        return sorted(path.stem for path in (self.folder / "tables").glob("*.csv"))

    def metrics(self, dataset: str | None = None) -> pl.DataFrame:
        """Return every score: a row for each training, condition and metric.

        Args:
            dataset: A further dataset of the experiment, None for its own.

        Raises:
            DataMissing: If the results have no such dataset.
        """
        return scores_in(self._named("metrics", dataset, ".csv"))

    def pairs(self, dataset: str | None = None) -> pl.DataFrame:
        """Return every two methods compared under every condition: difference, interval, p-value and verdict.

        Raises:
            DataMissing: If the results have no such dataset.
            ContractError: If the file is no parquet.
        """
        return parquet_in(self._named("pairs", dataset, ".parquet"))

    def claims(self, dataset: str | None = None) -> pl.DataFrame:
        """Return the comparisons behind each claim, with the claim's `id` and `verdict`."""
        every = claims_in(self._named("claims", dataset, ".json"))
        rows = [
            {"id": claim["id"], "verdict_of_claim": claim["verdict"], **row}
            for claim in every
            for row in claim["comparisons"]
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def table(self, name: str) -> pl.DataFrame:
        """Return a table of the page; `tables` lists their names.

        Raises:
            DataMissing: If there is none of this name.
        """
        if name not in self.tables:
            raise DataMissing(f"{self.folder} has no table {name}{nearest(name, self.tables)}")
        return table_in(self.folder / "tables" / f"{name}.csv")

    def predictions(self) -> pl.DataFrame:
        """Return the predictions behind the scores: cell, present, utterance_id, prediction and, if published, label.

        Raises:
            DataMissing: If the results were published without predictions.
            ContractError: If a file of them has not the form of published predictions.
        """
        folder = self.folder / PUBLISHED
        if not_a_file(folder / "cells.parquet") == "is missing":
            raise DataMissing(f"{self.folder} has no {PUBLISHED}/: it was published by an earlier version")
        per_unit, labels = protocol_of(self.folder)["per_unit"], utterances_of(self.folder)
        return (
            predictions_of(self.folder)
            .select("cell", "present", "utterance_id", prediction=pl.col("steps") / per_unit)
            .join(labels, on="utterance_id", how="left", maintain_order="left")
        )

    def _named(self, start: str, dataset: str | None, suffix: str) -> Path:
        path = self.folder / f"{start}{'' if dataset is None else f'_{dataset}'}{suffix}"
        if not_a_file(path) == "is missing":
            raise DataMissing(f"{self.folder} has no {path.name}{nearest(str(dataset), self.datasets)}")
        return path
