"""From the rows of a table to utterances, and what is found on the way: rows that are left out, clips that are not
there, and what makes the whole unusable. Building a corpus and `trml check` both read a table through here: they agree.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from trml.base.errors import ContractError
from trml.base.nearest import nearest
from trml.corpora.contract import SCHEMA, SPLITS
from trml.corpora.user_table.clips import Clips, fragment
from trml.corpora.user_table.config import OwnConfig
from trml.corpora.user_table.labels import Labels, read_labels
from trml.corpora.user_table.splits import draw_splits, split_of
from trml.corpora.user_table.table import Table, read_table

Kind = Literal["refused", "left out", "no vision", "note"]

NEEDED = ("text", "label")

RARE = 0.005  # of the rows: a class of fewer may be a slip


@dataclass(frozen=True)
class Finding:
    """What is not as expected: on a line, or (None) in the table as a whole. `refused`: nothing is built until it is
    mended. `left out`: this row. `no vision`: the row stays, without its clip. `note`: to be known, no more. `what` is
    the row as left_out.parquet names it."""

    line: int | None
    kind: Kind
    words: str
    what: str = ""

    def __str__(self) -> str:
        return self.words if self.line is None else f"line {self.line}: {self.words}"


@dataclass(frozen=True)
class Reading:
    """`utterances`: as the contract has them, with the column `line`; `roles`: which column stands for what; `named`:
    rows whose table names a clip; `drawn`: the split is not the table's own."""

    table: Table
    roles: dict[str, str]
    utterances: pl.DataFrame
    labels: Labels
    findings: list[Finding]
    named: int
    drawn: bool

    def of(self, kind: Kind) -> list[Finding]:
        """The findings of one kind: of the whole table, then row by row."""
        found = [finding for finding in self.findings if finding.kind == kind]
        return sorted(found, key=lambda finding: finding.line or 0)


def columns_of(table: Table, config: OwnConfig) -> dict[str, str]:
    """Which column stands for what. Raises ContractError for one that is not there, with the nearest name."""
    roles = {}
    for role, name in vars(config.columns).items():
        if name in table.columns:
            roles[role] = name
        elif name is not None and (role in NEEDED or name != role):
            raise ContractError(
                f"{table.path} has no column {name!r} for {role}{nearest(name, table.columns)}. "
                f"Say corpus.columns.{role}=NAME, or trml check ... --column {role}=NAME"
            )
    return roles


class Row(NamedTuple):
    """The cells of one row, "" where there is nothing, with its number from 1 and its line."""

    number: int
    line: int
    text: str
    clip: str
    label: str
    utterance_id: str
    video_id: str
    split: str
    start_s: str
    end_s: str


def _rows(table: Table, roles: dict[str, str]) -> Iterator[Row]:
    empty = [""] * len(table.lines)
    columns = (table.columns[roles[role]] if role in roles else empty for role in Row._fields[2:])
    return map(Row, count(1), table.lines, *columns)


def read(config: OwnConfig, folder: Path) -> Reading:
    """The table of a folder, row by row. Raises ContractError or DataMissing where it cannot be read as a table with
    the columns that are stated; everything else is among the findings."""
    table = read_table(folder / config.table)
    roles = columns_of(table, config)
    labels = read_labels(config, table.columns[roles["label"]], table.lines)
    findings = [Finding(line, "refused", words) for line, words in labels.faults]
    faulty = {line for line, _ in labels.faults}
    clips, kept, named = Clips(folder), [], 0
    for row, label in zip(_rows(table, roles), labels.values, strict=True):
        name = row.utterance_id if "utterance_id" in roles else str(row.number)
        what = f"{table.path.name} line {row.line} ({name})"
        path, absent, leads_out = clips.find(row.clip)
        clip, seconds, uncut = fragment(path, row.start_s, row.end_s)
        split, why_no_clip = split_of(row.split), f"clip {row.clip!r} {absent or uncut}" if row.clip else "no clip"
        named += row.clip != ""
        if leads_out:
            findings.append(Finding(row.line, "refused", why_no_clip))
        reasons = {
            f"label {row.label!r} is none" if row.label else "label is empty": label is None and row.line not in faulty,
            f"no text, and {why_no_clip}": not row.text and clip is None,
            f"split {row.split!r} is none; expected train, valid (dev) or test": "split" in roles and not split,
        }
        if any(reasons.values()):
            why = "; ".join(reason for reason, holds in reasons.items() if holds)
            findings.append(Finding(row.line, "left out", why, what))
            continue
        if not name:
            findings.append(Finding(row.line, "refused", "utterance_id is empty; expected a name of the row's own"))
        if row.clip and clip is None:
            findings.append(Finding(row.line, "no vision", why_no_clip, what))
        # Parts of one video go into one split, stated or not.
        group = row.video_id or (path if path != clip else None) or name
        kept.append((name, group, split, row.text, clip, *seconds, label, row.line))
    utterances = pl.DataFrame(kept, {**SCHEMA, "label": pl.Float64, "line": pl.Int64}, orient="row")
    drawn = "split" not in roles
    if drawn and kept:
        utterances = utterances.with_columns(draw_splits(utterances["video_id"], config.seed, config.shares))
    if named and not utterances["clip"].count():
        words = f"of {named:,} clips that are named none can be used; expected paths below {folder}"
        findings.append(Finding(None, "refused", f"{words}, or, without any clips, corpus.columns.clip=null"))
    findings += _of_the_whole(utterances, labels)
    return Reading(table, roles, utterances, labels, findings, named, drawn)


def _of_the_whole(utterances: pl.DataFrame, labels: Labels) -> list[Finding]:
    """What only all rows together tell: ids twice, a split without rows, one label alone, groups in several splits."""
    if utterances.is_empty():
        return [Finding(None, "refused", "no row can be used; the rows that are left out say why")]
    found = []
    ids = Counter(utterances["utterance_id"])
    found += [
        Finding(
            line,
            "refused",
            f"utterance_id {name!r} is on {ids[name]:,} rows; expected each once "
            "(corpus.columns.utterance_id=null takes the numbers of the rows instead)",
        )
        for line, name in utterances.select("line", "utterance_id").iter_rows()
        if name and ids[name] > 1
    ]
    sizes = Counter(utterances["split"])
    there = ", ".join(f"{split} has {sizes[split]:,} rows" for split in SPLITS if sizes[split])
    groups = utterances["video_id"].n_unique()
    found += [
        Finding(
            None,
            "refused",
            f"split {split} is empty ({there}); expected rows in train, valid and test. corpus.columns.split=null "
            f"draws a split, whole groups at a time, from three groups on; here there are {groups:,}",
        )
        for split in SPLITS
        if not sizes[split]
    ]
    if utterances["label"].n_unique() == 1 and not labels.faults:
        only = labels.name(utterances["label"][0])
        found.append(Finding(None, "refused", f"every label is {only}; expected two different ones or more"))
    leaks = utterances.group_by("video_id").agg(pl.col("split").n_unique()).filter(pl.col("split") > 1)
    if leaks.height:
        some = ", ".join(sorted(leaks["video_id"])[:3])
        words = (
            f"Groups (video_id) in more than one split: {leaks.height:,} ({some}). It is a leak, unless their names "
            "start anew in each split; corpus.columns.split=null draws a split that keeps groups whole."
        )
        found.append(Finding(None, "note", words))
    found += _rare(utterances, labels)
    garbled = utterances.filter(pl.col("text").str.contains("[\u0080-\u009f\ufffd]"))
    if garbled.height:
        words = f"Texts with characters that are left of another encoding: {garbled.height:,}, this first."
        found.append(Finding(garbled["line"][0], "note", words))
    return found


def _rare(utterances: pl.DataFrame, labels: Labels) -> list[Finding]:
    """Classes of hardly any row: often another class, misspelt."""
    counts = Counter(utterances["label"].drop_nulls())
    first = dict(utterances.select("label", "line").reverse().iter_rows())
    return [
        Finding(
            first[value],
            "note",
            f"Label {labels.name(value)} is on {number:,} of {utterances.height:,} rows, this first"
            f"{nearest(labels.classes[int(value)], [labels.classes[int(x)] for x in counts if x != value])}",
        )
        for value, number in sorted(counts.items() if labels.task == "classification" else ())
        if number <= RARE * utterances.height and len(counts) > 1
    ]
