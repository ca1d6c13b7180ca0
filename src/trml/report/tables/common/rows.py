"""Rows of scores: one group per metric, one row per method, the best in bold."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from trml.evaluation.contract import REFERENCES, MetricInfo, Study
from trml.report.tables.common.table import Cell, Group, plain

BOLD = (
    "Bold: the best of the compared methods and all that are not significantly worse (Holm, 5 %); the upper bound is "
    "not compared."
)

# Rows of a summary by method, victim, rate in training and rate at evaluation.
Rows = Mapping[tuple[str, str, float, float], dict[str, Any]]


def metric_groups(
    study: Study,
    data: pl.DataFrame,
    metrics: Sequence[MetricInfo],
    columns: Sequence[Any],
    find: Callable[[Rows, str, Any], dict[str, Any] | None],
) -> list[Group]:
    """Return, for each metric, one row per method, with ceiling and oracle above and the references below.

    Args:
        study: The compared methods.
        data: Rows of the summary.
        metrics: One group is made of each.
        columns: One entry per column; `find` knows their meaning.
        find: Rows, a method's name and a column -> the row of the summary for that cell, None for an empty one.
    """
    names = [
        ("ceiling", "Ceiling (exact)"),
        ("oracle", "Oracle, on these utterances"),
        *study.entries.items(),
        ("constant", "Constant predictor"),
        *REFERENCES.items(),
    ]
    groups = []
    for metric in metrics:
        rows: Rows = {
            (row["method"], row["victim"], row["trained"], row["rate"]): row
            for row in data.filter(pl.col("metric") == metric.name).iter_rows(named=True)
        }
        lines = []
        for name, label in names:
            scores = [find(rows, name, column) for column in columns]
            if any(scores):
                lines.append([*plain([label]), *map(score_cell, scores)])
        groups.append((f"{metric.label} ({'higher' if metric.higher_is_better else 'lower'} is better)", lines))
    return groups


def score_cell(row: Mapping[str, Any] | None) -> Cell:
    """Return a score with its interval, or how many of the trainings behind it failed."""
    if row is None or (row["value"] is None and not row["failed"]):
        return "", False
    if row["failed"]:
        return f"failed ({row['failed']} of the seeds)", False
    interval = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['value']:.3f}{interval}", bool(row["leads"])


def upper_words(study: Study) -> str:
    """Return what a note says of the upper bound, empty where the study has none."""
    if study.upper is None:
        return ""
    return f"{study.upper.label} is trained on complete data and sees zeros for what is missing."
