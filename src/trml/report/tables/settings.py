"""Settings A and B at each share p of complete training utterances."""

from typing import Any

import polars as pl

from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.tables.common.rows import BOLD, Rows, metric_groups
from trml.report.tables.common.table import Table


def tables(data: Dataset) -> list[Table]:
    """Return the table of both settings, none for an experiment without them."""
    study, rates = data.study, data.study.setting_rates
    if not rates:
        return []
    columns = [(setting, victim, rate) for setting in ("A", "B") for victim in study.single_victims for rate in rates]
    header = ["method", *(f"{setting}, {victim}, p = {1 - rate:g}" for setting, victim, rate in columns)]
    matched = (pl.col("protocol") == "matched") & pl.col("rate").is_in([0.0, *rates])
    rows = data.summary.filter(
        pl.col("variant") == DEFAULT,
        (pl.col("protocol") == "setting_a") | matched,
        pl.col("victim").is_in(study.single_victims),
    )
    upper = {method.name for method in study.methods if method.role == "upper"}

    def find(rows: Rows, method: str, column: Any) -> dict[str, Any] | None:
        setting, victim, rate = column
        if method in upper:
            return rows.get((method, victim, 0.0, 0.0))
        return rows.get((method, victim, rate, 1.0 if setting == "A" else rate))

    bound = f"{study.upper.label}, the upper bound, is trained and evaluated on complete data. " if study.upper else ""
    note = (
        "A share p of the training utterances is complete; the others lack the modality. Setting A: all dev and test "
        "utterances lack it. Setting B: dev and test keep the same share, and the predictions are pooled. "
        f"{bound}{BOLD}"
    )
    groups = metric_groups(study, rows, data.headline, columns, find)
    return [Table("settings", "settings", "Settings A and B", note, header, groups, rows)]
