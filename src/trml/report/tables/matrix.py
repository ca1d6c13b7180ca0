"""Training pattern against present modalities: which training copes with which loss at evaluation."""

import polars as pl

from trml.missing.modalities import subsets, written
from trml.report.dataset import Dataset
from trml.report.sections import further
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Group, Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return the table of each regime in the primary metric; their csv hold every metric and training rate."""
    return [_table(each) for each in data.studied if each.matrix.height]


def _table(data: Dataset) -> Table:
    study, metric = data.study, data.primary
    present = [written(modalities) for modalities in subsets(study.modalities)]
    groups: list[Group] = []
    for title, part in data.trainings:
        rows = {
            (row["method"], row["present"]): row
            for row in part.filter(pl.col("metric") == metric.name).iter_rows(named=True)
        }
        lines = [
            [*plain([method.label]), *(score_cell(rows.get((method.name, word))) for word in present)]
            for method in study.methods
            if any((method.name, word) in rows for word in present)
        ]
        groups.append((title, lines))
    note = (
        f"{metric.label} with 95 % intervals ({'higher' if metric.higher_is_better else 'lower'} is better). Rows: "
        "what was missing in training. Columns: the modalities that every test utterance has. Bold: the best of the "
        "compared methods of a group and all that are not significantly worse (Holm, 5 %)."
    )
    title = "Training pattern against present modalities"
    section, name = further(study) or "matrix", f"matrix{data.suffix}"
    return Table(section, name, title, note, ["method", *present], groups, data.matrix, 2)
