"""The share of a missing modality that each method recovers, over the redundancy."""

from typing import Any

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Cell, Table, plain

_NOTE = (
    "With vision missing: the recovered share of what the sentence tells about the label, from the constant "
    "predictor's error (0) to the exact ceiling of the sentence alone (1). At redundancy 0 nothing can be recovered: "
    "the column shows how far the error lies above the constant predictor's, and whether significantly (Holm, 5 %). A "
    "significant excess means that the method makes up what it cannot know. Trained with half of the utterances "
    "complete."
)


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none for an experiment whose datasets do not vary the redundancy."""
    rows = data.redundancy
    if rows is None:
        return []
    shares = sorted(rows["redundancy"].unique())
    cells = {(row["method"], row["redundancy"]): row for row in rows.iter_rows(named=True)}
    lines = [
        [*plain([method.label]), *(_recovered(cells.get((method.name, share))) for share in shares)]
        for method in data.study.methods
        if any((method.name, share) in cells for share in shares)
    ]
    note = f"{_made_up(data, rows)} {_NOTE}"
    header = ["method", *(f"redundancy {share:.2f}" for share in shares)]
    title = "What can be recovered, and what is"
    return [Table("redundancy", "redundancy", title, note, header, [("", lines)], rows)]


def _recovered(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return "", False
    if row["recovered"] is None:
        return f"error {row['above_constant']:+.3f}{', makes up' if row['makes_up'] else ''}", False
    return f"{row['recovered']:.2f} [{row['recovered_low']:.2f}, {row['recovered_high']:.2f}]", False


def _made_up(data: Dataset, rows: pl.DataFrame) -> str:
    """Return in words whether any method pretends to recover what cannot be recovered."""
    nothing = rows.filter(pl.col("recovered").is_null())
    if nothing.is_empty():
        return "In each of these datasets something can be recovered."
    names = [data.study.by_name[name].label for name in nothing.filter(pl.col("makes_up"))["method"]]
    if names:
        return f"These methods make something up where nothing can be recovered: {', '.join(names)}."
    return "No method makes anything up where nothing can be recovered."
