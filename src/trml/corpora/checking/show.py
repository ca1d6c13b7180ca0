"""Format the statistics of a corpus as plain text."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from trml.base.printable import one_line, printable
from trml.corpora.contract import CorpusInfo
from trml.corpora.statistics import Facts


@dataclass(frozen=True)
class Report:
    """What `trml check` found.

    Attributes:
        lines: For the user.
        is_sound: Whether a run can use the folder.
        task: `regression` or `classification`; empty unless the folder is sound.
        facts: The statistics of the corpus; None unless the folder is sound.
    """

    lines: list[str]
    is_sound: bool
    task: str = ""
    facts: Facts | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", [printable(line) for line in self.lines])


def show_facts(info: CorpusInfo, facts: Facts) -> list[str]:
    """Return lines on splits, labels, lengths, and groups in more than one split."""
    splits = facts.splits.select(
        "split",
        "rows",
        "groups",
        _percent("no_text").alias("text missing"),
        _percent("no_vision").alias("vision missing"),
        pl.col("repeated").alias("texts also in an earlier split"),
    )
    numbers = "" if info.classes else ", rounded"
    lines = ["Splits", *_table(splits), "", f"Labels ({info.task}{numbers})", *_table(facts.labels)]
    if len(facts.seconds):
        shortest, median, longest = np.quantile(facts.seconds.to_numpy(), [0, 0.5, 1])
        lines += ["", f"Utterances: {shortest:.1f} s to {longest:.1f} s, median {median:.1f} s"]
    if facts.groups_across:
        lines += ["", f"ATTENTION: groups in more than one split: {facts.groups_across:,}"]
    return lines


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(1).cast(pl.String) + "%"


def _table(frame: pl.DataFrame) -> list[str]:
    names = [column for column, dtype in frame.schema.items() if dtype == pl.String]
    shown = frame.with_columns(pl.col(names).map_elements(one_line, return_dtype=pl.String))
    with pl.Config(
        tbl_formatting="NOTHING",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=120,
        fmt_str_lengths=60,
    ):
        return [f" {line.rstrip()}" for line in str(shown).splitlines()]
