"""One dataset of an experiment as the report sees it: the files of the stages before, each read once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.artifacts import read_json
from trml.corpora.contract import SPLITS
from trml.evaluation.contract import ALL, MATCHED, MetricInfo, Study
from trml.features.contract import FeatureInfo
from trml.report.card import Card
from trml.report.contract import ReportInputs
from trml.report.looks import Look, looks


def rounded(path: Path) -> pl.DataFrame:
    """Return a table whose scores have six decimals, as csv files have them: of 0.84749999 and 0.8475 one is 0.847."""
    return pl.read_parquet(path).with_columns(pl.col("^(value|low|high)$").round(6))


@dataclass(frozen=True)
class Probes:
    """The probes of trained methods: probes.json, and the folder that holds the other files."""

    folder: Path
    about: dict[str, Any]

    @property
    def victims(self) -> list[str]:
        """The missing modalities that were probed."""
        return self.about["victims"]

    @property
    def seeds(self) -> list[int]:
        """The seeds of the trainings, the one whose vectors are drawn first."""
        return self.about["seeds"]

    @cached_property
    def retrieval(self) -> pl.DataFrame:
        """One row per victim and seed."""
        return pl.read_parquet(self.folder / "retrieval.parquet")

    @cached_property
    def factors(self) -> pl.DataFrame:
        """One row per victim, seed and factor; empty unless the corpus knows its latent factors."""
        return pl.read_parquet(self.folder / "factors.parquet")

    @cached_property
    def embedding(self) -> pl.DataFrame:
        """One row per vector in the plane."""
        return pl.read_parquet(self.folder / "embedding.parquet")

    @cached_property
    def corruption(self) -> pl.DataFrame:
        """One row per method, training, modality, corruption and level; possibly empty."""
        return pl.read_parquet(self.folder / "corruption.parquet")

    @cached_property
    def conventions(self) -> pl.DataFrame:
        """One row per convention, missing modality and metric; possibly empty."""
        return pl.read_parquet(self.folder / "conventions.parquet")

    @cached_property
    def cost(self) -> pl.DataFrame:
        """One row per method; possibly empty."""
        return pl.read_parquet(self.folder / "cost.parquet")

    @cached_property
    def examples(self) -> dict[str, Any]:
        """examples.json: task, classes and the examples."""
        return read_json(self.folder / "examples.json")

    @cached_property
    def similarity(self) -> dict[str, NDArray[Any]]:
        """The arrays of similarity.npz."""
        with np.load(self.folder / "similarity.npz", allow_pickle=False) as arrays:
            return dict(arrays)


@dataclass(frozen=True)
class Dataset:
    """One dataset of an experiment; the experiment's own has `others`."""

    inputs: ReportInputs

    @property
    def study(self) -> Study:
        """The methods, missing patterns, rates and seeds that are compared."""
        return self.inputs.study

    @cached_property
    def looks(self) -> dict[str, Look]:
        """How each method looks in every figure."""
        return looks(self.study)

    @property
    def suffix(self) -> str:
        """The end of the names of a further dataset's tables and figures, empty for the experiment's own."""
        return f"_{self.study.dataset}" if self.study.dataset else ""

    @cached_property
    def others(self) -> list["Dataset"]:
        """The further datasets."""
        return [Dataset(inputs) for inputs in self.inputs.others]

    @property
    def corpora(self) -> list["Dataset"]:
        """The experiment's own dataset, and those that repeat the experiment on another corpus."""
        return [self, *(other for other in self.others if other.study.purpose == "corpus")]

    @property
    def regimes(self) -> list["Dataset"]:
        """The same corpus and encoder under other protocols, each with claims of its own."""
        return [other for other in self.others if other.study.purpose == "regime"]

    @property
    def studied(self) -> list["Dataset"]:
        """The experiment's own dataset and its regimes: all with variants on the experiment's own corpus."""
        return [self, *self.regimes]

    @cached_property
    def summary(self) -> pl.DataFrame:
        """One row per protocol, method, variant, condition and metric, on all test utterances."""
        return self.by_present.filter(pl.col("present") == ALL).drop("present")

    @cached_property
    def by_present(self) -> pl.DataFrame:
        """The same, also on the utterances that keep the modalities in `present`."""
        return rounded(self.inputs.evaluation / "summary.parquet")

    @property
    def compared(self) -> pl.DataFrame:
        """The rows of `summary` that the study is about: trained as its protocol says, and those on complete data."""
        whole = (pl.col("protocol") == MATCHED) & (pl.col("rate") == 0)
        return self.summary.filter(whole | (pl.col("protocol") == self.study.training))

    @cached_property
    def pairs(self) -> pl.DataFrame:
        """One row per pair of methods, protocol, condition, `present` and metric."""
        return pl.read_parquet(self.inputs.evaluation / "pairs.parquet")

    @cached_property
    def aggregates(self) -> pl.DataFrame:
        """One row per method and missing modality, ALL among them; possibly empty."""
        return pl.read_parquet(self.inputs.evaluation / "aggregates.parquet")

    @cached_property
    def improvement(self) -> pl.DataFrame:
        """One row per pair of methods and missing modality, ALL among them; possibly empty."""
        return pl.read_parquet(self.inputs.evaluation / "improvement.parquet")

    @cached_property
    def robustness(self) -> pl.DataFrame:
        """One row per protocol, method, victim, metric and measure; possibly empty."""
        return pl.read_parquet(self.inputs.evaluation / "robustness.parquet")

    @cached_property
    def matrix(self) -> pl.DataFrame:
        """One row per training (victim, rate), method, present set and metric."""
        return rounded(self.inputs.evaluation / "matrix.parquet")

    @property
    def trainings(self) -> list[tuple[str, pl.DataFrame]]:
        """The rows of `matrix` by training: on complete data, then with each pattern missing at the study rate.

        Methods that are a different model for each pattern are left out of the first.
        """
        study, shared = self.study, [method.name for method in self.study.methods if not method.single]
        complete = self.matrix.filter(pl.col("rate") == 0, pl.col("method").is_in(shared))
        parts = [("trained on complete data", complete.unique(("method", "present", "metric"), maintain_order=True))]
        for victim in study.victims:
            rows = self.matrix.filter(pl.col("victim") == victim, pl.col("rate") == study.study_rate)
            parts.append((f"trained with {study.pattern(victim).label}, rate {study.study_rate:g}", rows))
        return [(title, rows) for title, rows in parts if rows.height]

    @cached_property
    def calibration(self) -> pl.DataFrame:
        """One row per method, training, present set and what was calibrated on."""
        return pl.read_parquet(self.inputs.evaluation / "calibration.parquet")

    @cached_property
    def terms(self) -> pl.DataFrame | None:
        """One row per method, present set and term of the label, None for a corpus that knows no terms."""
        path = self.inputs.evaluation / "terms.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    @cached_property
    def axes(self) -> pl.DataFrame | None:
        """One row per point of an axis, method and missing modality, None for an experiment without such datasets."""
        path = self.inputs.evaluation / "axes.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    @cached_property
    def redundancy(self) -> pl.DataFrame | None:
        """One row per dataset and method, None unless the experiment has datasets that vary the redundancy."""
        path = self.inputs.evaluation / "redundancy.parquet"
        return pl.read_parquet(path) if path.is_file() else None

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """The decided claims, as in claims.json."""
        return read_json(self.inputs.evaluation / "claims.json")

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """The record of every cell."""
        return read_json(self.inputs.evaluation / "cells.json")

    @cached_property
    def metrics(self) -> tuple[MetricInfo, ...]:
        """The metrics of the task, the primary one first."""
        return tuple(MetricInfo(**metric) for metric in read_json(self.inputs.evaluation / "metrics.json"))

    @property
    def primary(self) -> MetricInfo:
        """The metric that claims are judged by."""
        return self.metrics[0]

    @property
    def headline(self) -> list[MetricInfo]:
        """The metrics of the main tables."""
        return [metric for metric in self.metrics if metric.headline]

    @property
    def drawn(self) -> list[MetricInfo]:
        """The metrics of the figures over the missing rate."""
        return [metric for metric in self.metrics if metric.drawn]

    @cached_property
    def features(self) -> FeatureInfo:
        """features.json."""
        return FeatureInfo(**read_json(self.inputs.features / "features.json"))

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Utterances in each split, of those that have features."""
        counts = pl.read_parquet(self.inputs.features / "index.parquet")["split"].value_counts()
        by_split = dict(counts.iter_rows())
        return {split: by_split[split] for split in SPLITS}

    @cached_property
    def groups(self) -> int:
        """How many videos, speakers or dialogues the test utterances are of."""
        index = pl.read_parquet(self.inputs.features / "index.parquet").filter(pl.col("split") == "test")
        named = pl.read_parquet(self.inputs.corpus / "utterances.parquet", columns=["utterance_id", "video_id"])
        return index.join(named, on="utterance_id", how="left")["video_id"].n_unique()

    @cached_property
    def card(self) -> Card:
        """The card of the corpus."""
        return Card.read(self.inputs.corpus, self.inputs.features, self.suffix)

    @cached_property
    def probed(self) -> dict[str, Any]:
        """probes.json; `reason` says why nothing was probed."""
        if self.inputs.probes is None:
            return {"reason": "this dataset is not probed", "victims": []}
        return read_json(self.inputs.probes / "probes.json")

    @cached_property
    def analysed(self) -> Probes | None:
        """What was probed of any method, None for a further dataset."""
        return Probes(self.inputs.probes, self.probed) if self.inputs.probes else None

    @cached_property
    def probes(self) -> Probes | None:
        """The probes of virtual modalities, None where there are none."""
        return None if self.probed["reason"] is not None or not self.probed["victims"] else self.analysed
