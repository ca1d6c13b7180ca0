"""Scores at the study rate, split by what the utterances keep."""

from typing import Any

import polars as pl

from trml.evaluation.contract import ALL
from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.sections import sentence
from trml.report.tables.common.rows import BOLD, Rows, metric_groups
from trml.report.tables.common.table import Table


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where every test utterance keeps the same."""
    study = data.study
    rows = data.by_present.filter(
        pl.col("variant") == DEFAULT,
        pl.col("protocol") == study.training,
        pl.col("rate") == study.study_rate,
        pl.col("victim").is_in(study.single_victims),
        pl.col("present") != ALL,
    )
    columns = list(rows.select("victim", "present").unique(maintain_order=True).iter_rows())
    if not columns:
        return []

    def find(rows: Rows, method: str, column: Any) -> dict[str, Any] | None:
        victim, present = column
        return rows.get((method, f"{victim}|{present}", study.study_training_rate, study.study_rate))

    # A key of Rows has no place for what is present.
    keyed = rows.with_columns(pl.concat_str("victim", "present", separator="|").alias("victim"))
    header = ["method", *(f"{study.pattern(victim).label}: utterances with {present}" for victim, present in columns)]
    note = (
        f"{sentence(study.at_study_rate)}; each column scores the test utterances that keep the same modalities. {BOLD}"
    )
    groups = metric_groups(study, keyed, [data.primary], columns, find)
    return [Table("curves", "by_present", "Scores by what an utterance keeps", note, header, groups, rows, 1)]
