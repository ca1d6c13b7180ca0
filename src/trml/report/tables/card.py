"""The card of each corpus: sizes, labels, missing modalities, repeats across splits."""

from dataclasses import replace

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table


def tables(data: Dataset) -> list[Table]:
    """Return one table per corpus."""
    return [replace(each.card.table, order=i) for i, each in enumerate(data.corpora)]
