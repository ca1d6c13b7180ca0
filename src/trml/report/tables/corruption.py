"""Scores with a modality that is there and wrong, beside one that is absent."""

from typing import Any

import polars as pl

from trml.evaluation.contract import NOTHING
from trml.report.dataset import Dataset
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Group, Table, plain

WORDS = {
    "clean": "as it is",
    "noise": "noise {level:g}",
    "wrong": "{level:.0%} of another utterance",
    "blur": "blurred",
    "shuffled": "steps shuffled",
    "absent": "absent",
}


def tables(data: Dataset) -> list[Table]:
    """Return one table a modality, none for an experiment without these analyses."""
    rows = data.analysed.corruption if data.analysed else pl.DataFrame()
    return [_table(data, rows, modality) for modality in data.study.single_victims] if rows.height else []


def _table(data: Dataset, rows: pl.DataFrame, modality: str) -> Table:
    study, part = data.study, rows.filter(pl.col("modality") == modality)
    # A modality of one vector has no steps to blur.
    known = set(part.select("corruption", "level").iter_rows())
    columns = sorted(known, key=lambda each: (list(WORDS).index(each[0]), each[1]))
    groups: list[Group] = []
    for trained in (NOTHING, modality):
        scores: dict[tuple[str, str, float], dict[str, Any]] = {
            (row["method"], row["corruption"], row["level"]): {**row, "leads": False, "failed": 0}
            for row in part.filter(pl.col("trained") == trained).iter_rows(named=True)
        }
        lines = [
            [*plain([method.label]), *(score_cell(scores.get((method.name, *column))) for column in columns)]
            for method in study.methods
            if any((method.name, *column) in scores for column in columns)
        ]
        words = study.pattern(modality).label
        at = "complete data" if trained == NOTHING else f"data with {words} at rate {study.study_training_rate:g}"
        groups.append((f"Trained on {at}", lines))
    note = (
        f"{data.primary.label} with 95 % intervals on all test utterances. The {modality} vectors of every test "
        "utterance are changed: Gaussian noise in units of their own spread, those of another utterance in a share of "
        "them, each step averaged with its neighbours, or their steps in random order. Absent: without the modality."
    )
    header = ["method", *(WORDS[name].format(level=level) for name, level in columns)]
    title = f"With wrong {modality}"
    return Table(
        "wrong", f"corruption_{modality}", title, note, header, groups, part, study.single_victims.index(modality)
    )
