"""Retrieval of the true partner from a virtual modality."""

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table, plain

_COLUMNS = ("r1", "r1_chance", "r1_best", "r5", "r5_chance", "r5_best", "median_rank", "diagonal", "off_diagonal")


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where nothing was probed."""
    if data.probes is None:
        return []
    rows = data.probes.retrieval
    means = rows.group_by("victim", maintain_order=True).agg(pl.col(_COLUMNS).mean())
    lines = [
        plain([f"virtual {row['victim']}", *("" if row[name] is None else f"{row[name]:.3f}" for name in _COLUMNS)])
        for row in means.iter_rows(named=True)
    ]
    header = ["", "R@1", "chance", "best", "R@5", "chance", "best", "median rank", "cosine to partner", "to others"]
    note = (
        "Each complete test utterance's virtual vector looks for its real partner among all by cosine similarity: mean "
        "over seeds. Best: expected when the only factor that the modalities share is known, empty where there is no "
        "such factor."
    )
    title = "Retrieval of the real partner"
    return [Table("virtual", "virtual_retrieval", title, note, header, [("", lines)], rows)]
