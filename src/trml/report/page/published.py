"""One dataset of published results, read from its files: what every number of the page is taken from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.artifacts import read_json
from trml.evaluation.contract import ALL, COMPLETE, MATCHED, NOTHING, MetricInfo, Study
from trml.methods.config import DEFAULT
from trml.missing.modalities import written
from trml.report.dataset import rounded
from trml.report.looks import Look, looks
from trml.report.sections import sentence


@dataclass(frozen=True)
class Published:
    """A dataset of published results.

    Attributes:
        folder: The results.
        result: The name that they are published under.
        study: What is compared. metrics: Of its task, the primary one first.
    """

    folder: Path
    result: str
    study: Study
    metrics: Sequence[MetricInfo]

    @property
    def suffix(self) -> str:
        """The end of a further dataset's file names, empty for the experiment's own."""
        return f"_{self.study.dataset}" if self.study.dataset else ""

    @property
    def label(self) -> str:
        """What sets it apart, in words."""
        return sentence(self.study.regime) or "The experiment's own training"

    @property
    def primary(self) -> MetricInfo:
        """The metric that claims are judged by."""
        return self.metrics[0]

    @cached_property
    def looks(self) -> dict[str, Look]:
        """How each method looks."""
        return looks(self.study)

    @cached_property
    def summary(self) -> pl.DataFrame:
        """SUMMARY of evaluation/schemas.py."""
        return rounded(self._path("summary.parquet"))

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """PAIRS."""
        return pl.read_parquet(self._path("pairs.parquet"))

    @cached_property
    def scores(self) -> pl.DataFrame:
        """METRICS: one row per cell, condition and metric."""
        types = {"cell": pl.String, "variant": pl.String}
        return pl.read_csv(self._path("metrics.csv"), schema_overrides=types, infer_schema_length=None)

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """claims.json, empty for a dataset that judges none."""
        path = self._path("claims.json")
        return read_json(path) if path.is_file() else []

    def table(self, name: str) -> pl.DataFrame | None:
        """Return a table's numbers, None where it was not made."""
        path = self.folder / "tables" / f"{name}.csv"
        return pl.read_csv(path, infer_schema_length=None) if path.is_file() else None

    @property
    def protocols(self) -> list[str]:
        """How methods are trained, the study's own first."""
        run = set(self.summary.filter(pl.col("rate") > 0)["protocol"])
        order = [self.study.training, *(each for each in (MATCHED, COMPLETE) if each != self.study.training)]
        return [each for each in order if each in run]

    @cached_property
    def _trainings(self) -> dict[tuple[str, str, float], list[str]]:
        """Digests of the cells of a method's default, by method and what was missing in training, at which rate."""
        rows = self.scores.filter(pl.col("variant") == DEFAULT, pl.col("train_rate") == pl.col("dev_rate"))
        found: dict[tuple[str, str, float], list[str]] = {}
        about = ("method", "train_victim", "train_rate")
        for *key, cell in rows.unique([*about, "cell"], maintain_order=True).select(*about, "cell").iter_rows():
            found.setdefault((key[0], key[1], key[2]), []).append(cell)
        return found

    def cells(self, protocol: str, method: str, victim: str, rate: float) -> list[str]:
        """Return the cells behind a score, one a seed; empty where there are none.

        Without any step a sequence is a missing modality. What is missing changes nothing for some methods, as the
        upper bound: they are trained on complete data.
        """
        trained, pattern = rate if protocol == MATCHED else 0.0, self.study.pattern(victim)
        whole = written(pattern.lost[0]) if trained == 1 and pattern.level == "step" else victim
        trainings = [(victim, trained), (whole, trained)] if trained else []
        keys = [*trainings, (NOTHING, 0.0), (victim, 0.0)]
        return next((self._trainings[method, *key] for key in keys if (method, *key) in self._trainings), [])

    def address(
        self, protocol: str, method: str, victim: str, rate: float, metric: str, present: str = ALL
    ) -> str | None:
        """Return the address of a score for `trml trace`, None where no published table has it."""
        where = "complete" if rate == 0 else f"{victim}@{rate:g}"
        words = [] if metric == self.primary.name else [metric]
        if present != ALL:
            if self.suffix or rate != self.study.study_rate or protocol != self.study.training:
                return None
            return "/".join([f"{self.result}:by_present", method, where, present, *words])
        if protocol == self.study.training or rate == 0:
            table = f"main{self.suffix}"
        elif protocol == COMPLETE and not self.suffix:
            table = f"complete_training_{victim}"
        else:
            return None
        return "/".join([f"{self.result}:{table}", method, where, *words])

    def pair_address(self, protocol: str, first: str, second: str, victim: str, rate: float) -> str | None:
        """Return the address of a difference in the primary metric, None where no published table has it."""
        if self.suffix:
            return None
        where = "complete" if rate == 0 else f"{victim}@{rate:g}"
        return f"{self.result}:pairs/{first}/{second}/{where}/{protocol}"

    def _path(self, name: str) -> Path:
        path = Path(name)
        return self.folder / f"{path.stem}{self.suffix}{path.suffix}"
