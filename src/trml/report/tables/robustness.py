"""Relative and effective robustness of every method."""

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Table, plain

_TRAINED = {"matched": "same rate", "complete": "complete training"}


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where no curve reaches from complete data to the highest rate."""
    if data.robustness.is_empty():
        return []
    study, metric = data.study, data.primary
    rows = data.robustness.filter(pl.col("metric") == metric.name)
    columns = list(rows.select("protocol", "victim", "measure").unique(maintain_order=True).iter_rows())
    values = {(r["method"], r["protocol"], r["victim"], r["measure"]): r for r in rows.iter_rows(named=True)}
    lines = [
        [
            *plain([label]),
            *(
                score_cell({"failed": 0, "leads": False, **row} if (row := values.get((name, *column))) else None)
                for column in columns
            ),
        ]
        for name, label in study.entries.items()
    ]
    reference = study.upper.label if study.upper else "the upper bound"
    note = (
        f"Of {metric.label}, with 95 % intervals. Relative: the area under the curve over the missing rate, divided by "
        f"its span. Effective: the area above the curve of {reference}, moved to the same start. Both as MultiBench "
        "defines them (Liang et al. 2021), whose reference is late fusion. Of an error a smaller area is better."
    )
    header = [
        "method",
        *(f"{victim.replace('_', ' ')}, {_TRAINED[protocol]}, {measure}" for protocol, victim, measure in columns),
    ]
    return [Table("robustness", "robustness", "Robustness over the missing rate", note, header, [("", lines)], rows)]
