"""The latent factors that a virtual modality carries, for a corpus that knows its own."""

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where nothing was probed or the corpus knows no factors."""
    if data.probes is None or data.probes.factors.is_empty():
        return []
    rows = data.probes.factors
    means = rows.group_by("victim", "factor", "common", maintain_order=True).agg(pl.col("same", "chance").mean())
    lines = [
        plain(
            [
                f"virtual {row['victim']}: {row['factor'].replace('_', ' ')}",
                "yes" if row["common"] else "no",
                f"{row['same']:.3f}",
                f"{row['chance']:.3f}",
            ]
        )
        for row in means.iter_rows(named=True)
    ]
    header = ["factor", "in both modalities", "same level", "chance"]
    note = (
        "How often the real vector nearest to a virtual one has the same level of a factor, mean over seeds. A factor "
        "that does not show in both modalities cannot be known and should be at chance."
    )
    title = "Factors that a virtual vector carries"
    return [Table("virtual", "virtual_factors", title, note, header, [("", lines)], rows, order=1)]
