"""The share of a missing modality that each method recovers, over the redundancy."""

from typing import Any

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Cell, Table, plain

_NOTE = (
    "With vision missing: the recovered share of what the sentence tells about the label, from the constant "
    "predictor's error (0) to the exact ceiling of the sentence alone (1). At redundancy 0 nothing can be recovered: "
    "the column shows how far the error lies above the constant predictor's. Misled: worse than a method that sees the "
    "sentence alone (Holm, 5 %), so that what stands in for the face costs something. Trained with half of the "
    "utterances complete."
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
    note = f"{_misled(data, rows)} {_NOTE}"
    header = ["method", *(f"redundancy {share:.2f}" for share in shares)]
    title = "What can be recovered, and what is"
    return [Table("redundancy", "redundancy", title, note, header, [("", lines)], rows)]


def _recovered(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return "", False
    misled = ", misled" if row["against_single"] == "worse" else ""
    if row["recovered"] is None:
        return f"error {row['above_constant']:+.3f}{misled}", False
    interval = "" if row["recovered_low"] is None else f" [{row['recovered_low']:.2f}, {row['recovered_high']:.2f}]"
    return f"{row['recovered']:.2f}{interval}{misled}", False


def _misled(data: Dataset, rows: pl.DataFrame) -> str:
    """Return in words which methods are worse than one of the sentence alone."""
    judged = rows.filter(pl.col("against_single").is_not_null())
    single = data.study.single
    if single is None or judged.is_empty():
        return "No method of the sentence alone is there to compare with."
    worse = judged.filter(pl.col("against_single") == "worse")["method"].unique(maintain_order=True)
    names = [data.study.by_name[name].label for name in worse]
    if names:
        return f"Worse than {single.label}, which sees the sentence alone, in some dataset: {', '.join(names)}."
    return f"No method is worse than {single.label}, which sees the sentence alone."
