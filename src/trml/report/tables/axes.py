"""Every method at the points of an axis: labels, wrong labels, labels that decide what is missing in training."""

import polars as pl

from trml.report.dataset import Dataset
from trml.report.sections import sentence
from trml.report.tables.common.rows import score_cell, upper_words
from trml.report.tables.common.table import Cell, Group, Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none for an experiment without such datasets."""
    rows = data.axes
    if rows is None:
        return []
    study = data.study
    points = [data, *(other for other in data.others if other.study.purpose == "axis")]
    groups: list[Group] = [(_title(each, rows), _lines(data, rows, each.study.dataset)) for each in points]
    note = (
        f"{data.primary.label} with 95 % intervals on all test utterances, each without the modality of its column, of "
        f"models trained with it missing at rate {study.study_rate:g}. Weighted: each training utterance by the "
        "inverse of the estimated probability of what it lacks given its label, in the task loss; in brackets the "
        "verdict against the same training without weights. A method that is trained on complete data or on one "
        f"modality alone does not see what is missing in training. {upper_words(study)}"
    ).strip()
    header = ["method", *(study.pattern(victim).label for victim in study.single_victims)]
    return [Table("axes", "axes", "Points of an axis", note, header, groups, rows)]


def _title(point: Dataset, rows: pl.DataFrame) -> str:
    labels = rows.filter(pl.col("dataset").eq_missing(point.study.dataset))["labels"]
    whole = f"The experiment's own, {labels[0]} labelled training utterances" if len(labels) else ""
    return sentence(point.study.regime) or whole


def _lines(data: Dataset, rows: pl.DataFrame, dataset: str | None) -> list[list[Cell]]:
    here = {
        (row["method"], row["victim"]): {**row, "leads": False, "failed": 0}
        for row in rows.filter(pl.col("dataset").eq_missing(dataset)).iter_rows(named=True)
    }
    names = rows.filter(pl.col("dataset").is_not_null())["method"].unique()
    return [
        [*plain([method.label]), *(_cell(here.get((method.name, victim))) for victim in data.study.single_victims)]
        for method in data.study.methods
        if method.name in names
    ]


def _cell(row: dict[str, object] | None) -> Cell:
    text, strong = score_cell(row)
    verdict = row["against_unweighted"] if row else None
    return (f"{text} ({verdict})" if verdict else text), strong
