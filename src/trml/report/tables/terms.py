"""Which terms of the label predictions follow, on a corpus that knows them."""

from trml.report.dataset import Dataset
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Table, plain

_NOTE = (
    "Coefficients of a regression of the predictions on the terms that the label is a sum of, with 95 % intervals: 1 "
    "where predictions follow a term fully, 0 where they know nothing of it. Complete utterances are predicted by "
    "models of complete data, the others by models that were trained with the modality missing at the study rate. The "
    "oracle predicts the median of the label given what an utterance shows."
)


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none for a corpus that knows no terms."""
    rows = data.terms
    if rows is None:
        return []
    names, labels = rows["term"].unique(maintain_order=True).to_list(), {"oracle": "Oracle"}
    labels |= {method.name: method.label for method in data.study.methods}
    groups = []
    for (present,), part in rows.group_by("present", maintain_order=True):
        found = {
            (row["method"], row["term"]): {**row, "failed": 0, "leads": False} for row in part.iter_rows(named=True)
        }
        lines = [
            [*plain([label]), *(score_cell(found.get((method, term))) for term in names)]
            for method, label in labels.items()
            if (method, names[0]) in found
        ]
        groups.append((f"utterances with {str(present).replace('+', ' and ')}", lines))
    header = ["method", *(name.replace("_", " ") for name in names)]
    return [Table("terms", "terms", "What predictions follow", _NOTE, header, groups, rows)]
