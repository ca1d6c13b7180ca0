"""Scores over every missing rate of one pattern, in the primary metric."""

from typing import Any

import polars as pl

from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.sections import pattern_section, sentence
from trml.report.tables.common.rows import BOLD, Rows, metric_groups
from trml.report.tables.common.table import Table


def tables(data: Dataset) -> list[Table]:
    """Return the rates of patterns that lose more than one modality, and those of complete training."""
    study = data.study
    patterns = [victim for victim in study.victims if victim not in study.single_victims]
    made = [_table(data, "matched", victim, pattern_section(study, victim), i) for i, victim in enumerate(patterns)]
    made += [_table(data, "complete", victim, "complete", i) for i, victim in enumerate(study.victims)]
    return [table for table in made if table.data["rate"].max() not in (None, 0.0)]


def _table(data: Dataset, protocol: str, victim: str, section: str, order: int) -> Table:
    study, matched = data.study, protocol == "matched"
    rates = [rate for rate in study.rates_of(victim) if rate > 0 or matched]
    rows = data.summary.filter(pl.col("variant") == DEFAULT, pl.col("protocol") == protocol, pl.col("victim") == victim)

    def find(rows: Rows, method: str, rate: Any) -> dict[str, Any] | None:
        return rows.get((method, victim, rate if matched else 0.0, rate))

    pattern = study.pattern(victim)
    trained = "the same rate in training and at evaluation" if matched else "complete in training"
    unable = [method.label for method in study.methods if not study.runs(method, victim)]
    note = f"{pattern.note} {BOLD}" + (f" Cannot be trained for this pattern: {', '.join(unable)}." if unable else "")
    return Table(
        section,
        f"rates_{victim}" if matched else f"complete_training_{victim}",
        f"{sentence(pattern.label)}, {trained}",
        note.strip(),
        ["method", *(f"{rate:g}" for rate in rates)],
        metric_groups(study, rows, [data.primary], rates, find),
        rows,
        order,
    )
