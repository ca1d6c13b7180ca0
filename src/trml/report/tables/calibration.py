"""Whether intervals of predictions hold, and probabilities mean what they say."""

from typing import Any

import polars as pl

from trml.evaluation.contract import NOTHING
from trml.missing.modalities import written
from trml.report.dataset import Dataset
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Cell, Group, Table, plain

_COVERAGE = (
    "The share of test utterances whose label lies within the 90 % interval of the prediction, with 95 % intervals; "
    "after it half the width of that interval. Every test utterance has the modalities of the column. The interval is "
    "the prediction +- the 90 % quantile of absolute errors on dev (split conformal), calibrated on complete dev "
    "utterances or on dev with the same modalities. A share below 0.9 is false confidence."
)
_ERROR = (
    "Expected calibration error in ten bins of confidence: how far stated probabilities lie from the share of hits. "
    "Every test utterance has the modalities of the column. Lower is better."
)


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where nothing was calibrated."""
    rows, study = data.calibration, data.study
    if rows.is_empty():
        return []
    columns = list(rows.select("present", "calibrated_on").unique(maintain_order=True).iter_rows())
    groups: list[Group] = []
    for trained in (NOTHING, *study.single_victims):
        part = {
            (row["method"], row["present"], row["calibrated_on"]): row
            for row in rows.filter(pl.col("trained") == trained).iter_rows(named=True)
        }
        lines = [
            [*plain([method.label]), *(_cell(part.get((method.name, *column))) for column in columns)]
            for method in study.methods
            if any((method.name, *column) in part for column in columns)
        ]
        if lines:
            at = "complete data" if trained == NOTHING else f"{study.pattern(trained).label} at the study's rate"
            groups.append((f"Trained on {at}" if trained == NOTHING else f"Trained with {at}", lines))
    whole, is_score = written(study.modalities), any(on is not None for _, on in columns)
    header = ["method", *(_words(present, on, whole) for present, on in columns)]
    note = _COVERAGE if is_score else _ERROR
    title = "Coverage of 90 % intervals" if is_score else "Expected calibration error"
    return [Table("calibration", "calibration", title, note, header, groups, rows)]


def _words(present: str, on: str | None, whole: str) -> str:
    if on is None or present == whole:
        return present
    return f"{present}, calibrated on {'complete' if on == whole else 'the same'}"


def _cell(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return "", False
    text, _ = score_cell({**row, "leads": False, "failed": 0})
    return (text if row["half_width"] is None else f"{text} ±{row['half_width']:.2f}"), False
