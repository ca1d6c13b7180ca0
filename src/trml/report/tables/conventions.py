"""The same trainings scored by the conventions of the field."""

import polars as pl

from trml.evaluation.contract import OURS
from trml.report.dataset import Dataset
from trml.report.tables.common.table import Group, Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none for an experiment without these analyses."""
    rows = data.analysed.conventions if data.analysed else pl.DataFrame()
    proposed = data.study.proposed
    if not rows.height or proposed is None:
        return []
    metrics = [metric for metric in data.metrics if metric.name in set(rows["metric"])]
    groups: list[Group] = []
    for (victim,), part in rows.group_by("victim", maintain_order=True):
        by_key = {(row["convention"], row["metric"]): row for row in part.iter_rows(named=True)}
        names = dict.fromkeys(part["convention"])
        lines = [
            plain([name[:1].upper() + name[1:], *(_cell(by_key[name, m.name], name) for m in metrics)])
            for name in names
        ]
        groups.append((data.study.pattern(str(victim)).label, lines))
    note = (
        f"{proposed.label} at missing rate {data.study.study_rate:g}: the first row is scored as everywhere here (the "
        "epoch that is best on dev, the mean over seeds, masks drawn once); each other row is the same trainings "
        "scored otherwise, as its difference from the first, positive where the score looks better. ±: the standard "
        "deviation between draws of masks."
    )
    header = ["convention", *(metric.label for metric in metrics)]
    title = "The same trainings, scored by other conventions"
    return [Table("conventions", "conventions", title, note, header, groups, rows)]


def _cell(row: dict[str, object], name: str) -> str:
    if name == OURS:
        return f"{row['value']:.3f}"
    spread = "" if row["spread"] is None else f" ± {row['spread']:.3f}"
    return f"{row['gain']:+.3f}{spread}"
