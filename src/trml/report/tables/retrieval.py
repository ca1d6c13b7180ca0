"""Retrieval of the true partner from a virtual modality."""

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table, plain

_HEADINGS = {
    "r1": "R@1",
    "r1_raw": "encoder",
    "r1_chance": "chance",
    "r1_best": "best",
    "r5": "R@5",
    "r5_raw": "encoder",
    "r5_chance": "chance",
    "r5_best": "best",
    "median_rank": "median rank",
    "median_rank_raw": "encoder",
    "median_rank_best": "best",
    "diagonal": "cosine to partner",
    "off_diagonal": "to others",
}


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where nothing was probed."""
    if data.probes is None:
        return []
    rows = data.probes.retrieval
    means = rows.group_by("victim", maintain_order=True).agg(pl.col(list(_HEADINGS)).mean())
    lines = [
        plain([f"virtual {row['victim']}", *("" if row[name] is None else f"{row[name]:.3f}" for name in _HEADINGS)])
        for row in means.iter_rows(named=True)
    ]
    header = ["", *_HEADINGS.values()]
    note = (
        "Each complete test utterance's virtual vector looks for its real partner among all by cosine similarity: mean "
        "over seeds. Encoder: the encoder's own features of the other modality look for it, untrained; empty where "
        "features have different sizes. Best: expected when the only factor that the modalities share is known, empty "
        "where there is no such factor."
    )
    title = "Retrieval of the real partner"
    return [Table("virtual", "virtual_retrieval", title, note, header, [("", lines)], rows)]
