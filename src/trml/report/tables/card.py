"""The card of each corpus: sizes, labels, what is missing, what is repeated."""

from dataclasses import replace

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table


def tables(data: Dataset) -> list[Table]:
    """Return a table a corpus."""
    return [replace(each.card.table, order=i) for i, each in enumerate(data.corpora)]
