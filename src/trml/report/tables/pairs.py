"""Every method against every other: better, worse, equivalent or undecided."""

import polars as pl

from trml.evaluation.contract import ALL, other_side
from trml.report.dataset import Dataset
from trml.report.sections import sentence
from trml.report.tables.common.table import Cell, Group, Table, plain

_SIGNS = {"better": "+", "worse": "−", "equivalent": "=", "undecided": "?"}


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where no pair was compared; its csv has every protocol and rate."""
    study, rows = data.study, data.pairs.filter(pl.col("metric") == data.primary.name)
    shown = rows.filter(
        pl.col("protocol") == study.training,
        pl.col("rate") == study.study_rate,
        pl.col("victim").is_in(study.single_victims),
        pl.col("present") != ALL,
    )
    groups: list[Group] = [
        (f"{study.pattern(victim).label}, utterances with {present}", _lines(data, part))
        for (victim, present), part in shown.group_by("victim", "present", maintain_order=True)
    ]
    if not groups:
        return []
    note = (
        f"In {data.primary.label}, the method of a row is better than (+), worse than (−) or equivalent to (=) that of "
        "a column; a pair is undecided (?) or cannot be tested (empty) otherwise. "
        f"{sentence(study.at_study_rate)}. Tests are corrected for all pairs of a group (Holm, 5 %)."
    )
    header = ["method", *(str(i + 1) for i in range(len(_names(data))))]
    return [Table("curves", "pairs", "Every pair of methods", note, header, groups, rows, 2)]


def _names(data: Dataset) -> dict[str, str]:
    return {**data.study.entries, "constant": "Constant predictor"}


def _lines(data: Dataset, part: pl.DataFrame) -> list[list[Cell]]:
    """Return one row per method, one cell per method."""
    names, verdicts = _names(data), {}
    for row in part.iter_rows(named=True):
        pair, verdict = (row["first"], row["second"]), row["verdict"]
        verdicts[pair] = verdict
        verdicts[pair[::-1]] = other_side(verdict)
    return [
        plain([f"{i + 1} {label}", *(_SIGNS.get(verdicts.get((name, other), ""), "") for other in names)])
        for i, (name, label) in enumerate(names.items())
    ]
