"""Turn the rows of a table into utterances, and collect findings: rows to leave out, absent clips, fatal faults.

Building a corpus and `trml check` both read a table with `read`, so they agree.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from trml.base.nearest import nearest
from trml.base.printable import few, shortened
from trml.corpora.contract import SCHEMA, SPLITS
from trml.corpora.user_table.clips import Clips
from trml.corpora.user_table.config import OwnConfig
from trml.corpora.user_table.labels import NOTED, Labels, read_labels
from trml.corpora.user_table.look_alike import groups, shows
from trml.corpora.user_table.splits import draw_splits, split_of
from trml.corpora.user_table.swallowed import swallowed
from trml.corpora.user_table.table import Table, read_table

Kind = Literal["refused", "left out", "no vision", "note"]

_NAME, _PATH = 80, 300  # characters of a name, and of a path, in a message

FEW = 5  # rows of the training part that are next to nothing

RARE = 0.005  # share of the rows below which a class may be a typing error


@dataclass(frozen=True)
class Finding:
    """Something unexpected in a table.

    Attributes:
        line: Where, None for the table as a whole.
        kind: `refused` stops the build, `left out` drops the row, `no vision` keeps the row without its clip, `note` is
            only reported.
        words: What is wrong, and what was expected.
        what: The row, as left_out.parquet names it.
    """

    line: int | None
    kind: Kind
    words: str
    what: str = ""

    def __str__(self) -> str:
        return self.words if self.line is None else f"line {self.line}: {self.words}"


@dataclass(frozen=True)
class Reading:
    """A table that was read.

    Attributes:
        table: Its cells.
        roles: The column of each role.
        utterances: In the contract's form, with the column `line`.
        labels: Of every row.
        findings: In the order in which they were made.
        named: The number of rows that name a clip.
        drawn: Whether the split was drawn.
    """

    table: Table
    roles: dict[str, str]
    utterances: pl.DataFrame
    labels: Labels
    findings: list[Finding]
    named: int
    drawn: bool

    def of(self, kind: Kind) -> list[Finding]:
        """Return the findings of one kind: those of the whole table, then row by row."""
        findings = [finding for finding in self.findings if finding.kind == kind]
        return sorted(findings, key=lambda finding: finding.line or 0)


class Row(NamedTuple):
    """The cells of a row, "" if empty, with its number from 1 and its line."""

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
    """Yield the rows. A text that shows nothing is empty."""
    empty = [""] * len(table.lines)
    columns = (table.columns[roles[role]] if role in roles else empty for role in Row._fields[2:])
    for row in map(Row, count(1), table.lines, *columns):
        yield row if shows(row.text) else row._replace(text="")


def read(config: OwnConfig, folder: Path) -> Reading:
    """Read the table of a folder. Faults of single rows become findings.

    Raises:
        DataMissing: If the table is absent.
        ContractError: If it is not a table, or lacks a column that the configuration names.
    """
    table = read_table(folder / config.table, folder)
    roles = config.columns.roles(table)
    labels = read_labels(config, table.columns[roles["label"]], table.lines)
    findings = [Finding(line, "refused", words) for line, words in labels.faults]
    faulty = {line for line, _ in labels.faults}
    clips, kept, named = Clips(folder), [], 0
    for row, label in zip(_rows(table, roles), labels.values, strict=True):
        name = row.utterance_id if "utterance_id" in roles else str(row.number)
        path, absent, leads_out = clips.find(row.clip)
        clip, seconds, uncut = clips.cut(path, row.start_s, row.end_s)
        no_clip = "" if row.clip else "no clip"
        if row.clip and clip is None:
            no_clip = f"clip {shortened(row.clip, _PATH)} {absent or uncut}"
        named += row.clip != ""
        if leads_out:
            findings.append(Finding(row.line, "refused", no_clip))
        split = split_of(row.split)
        why = list(_reasons(row, label is None and row.line not in faulty, no_clip, "split" in roles and not split))
        if why or (row.clip and no_clip):
            what = f"{table.path.name} line {row.line} ({name if len(name) <= _NAME else f'{name[: _NAME - 1]}…'})"
        if why:
            findings.append(Finding(row.line, "left out", "; ".join(why), what))
            continue
        if not name:
            findings.append(Finding(row.line, "refused", "utterance_id is empty; expected a unique name"))
        if row.clip and no_clip:
            findings.append(Finding(row.line, "no vision", no_clip, what))
        # Parts of one video go into one split, stated or not.
        group = row.video_id or (path if path != clip else None) or name
        kept.append((name, group, split, row.text, clip, *seconds, label, row.line))
    utterances = pl.DataFrame(kept, {**SCHEMA, "label": pl.Float64, "line": pl.Int64}, orient="row")
    drawn = "split" not in roles
    if drawn and kept:
        utterances = utterances.with_columns(draw_splits(utterances["video_id"], config.seed, config.shares))
    if named and not utterances["clip"].count():
        words = f"none of the {named:,} clips that are named can be used; expected paths below {folder}"
        findings.append(Finding(None, "refused", f"{words}. If there are no clips, set corpus.columns.clip=null"))
    findings += _of_the_whole(utterances, labels)
    findings += [Finding(line, "note", words) for line, words in islice(swallowed(table, roles), NOTED)]
    return Reading(table, roles, utterances, labels, findings, named, drawn)


def _reasons(row: Row, no_label: bool, no_clip: str, no_split: bool) -> Iterator[str]:
    """Yield why a row is left out. Words are made where they are needed: there may be millions of rows."""
    if no_label:
        yield f"label {shortened(row.label)} is not a label" if row.label else "label is empty"
    if no_clip and not row.text:
        yield f"no text, and {no_clip}"
    if no_split:
        yield f"split {shortened(row.split)} is unknown; expected train, valid (dev) or test"


def _of_the_whole(utterances: pl.DataFrame, labels: Labels) -> list[Finding]:
    """Return the findings on all rows together: repeated ids, empty splits, one label, groups in several splits."""
    if utterances.is_empty():
        return [Finding(None, "refused", "no row can be used; see the reasons of the rows that are left out")]
    ids = Counter(utterances["utterance_id"])
    findings = [
        Finding(
            line,
            "refused",
            f"utterance_id {shortened(name)} is on {ids[name]:,} rows; expected each once "
            "(corpus.columns.utterance_id=null numbers the rows instead)",
        )
        for line, name in utterances.select("line", "utterance_id").iter_rows()
        if name and ids[name] > 1
    ]
    sizes = Counter(utterances["split"])
    others = ", ".join(f"{split} has {sizes[split]:,} rows" for split in SPLITS if sizes[split])
    groups = utterances["video_id"].n_unique()
    findings += [
        Finding(
            None,
            "refused",
            f"split {split} is empty ({others}); expected rows in train, valid and test. corpus.columns.split=null "
            f"draws a split, whole groups at a time. It needs three groups; there are {groups:,}",
        )
        for split in SPLITS
        if not sizes[split]
    ]
    trained = utterances.filter(pl.col("split") == "train")
    for rows, where in ((utterances, ""), (trained, " of split train")):
        if rows["label"].n_unique() == 1 and not labels.faults:
            words = f"every label{where} is {labels.name(rows['label'][0])}; expected two different ones or more"
            findings.append(Finding(None, "refused", words))
            break
    if 0 < trained.height < FEW:
        words = f"ATTENTION: split train has {trained.height} of the rows. Nothing is learned from so few."
        findings.append(Finding(None, "note", words))
    leaks = utterances.group_by("video_id").agg(pl.col("split").n_unique()).filter(pl.col("split") > 1)
    if leaks.height:
        some = few(sorted(leaks["video_id"])[:3])
        words = (
            f"Groups (video_id) in more than one split: {leaks.height:,} ({some}). This is a leak, unless each split "
            "numbers its groups from the start. corpus.columns.split=null draws a split that keeps groups whole."
        )
        findings.append(Finding(None, "note", words))
    findings += [Finding(None, "note", words) for words in (*labels.notes, *_alike(utterances))]
    findings += _rare(utterances, labels)
    garbled = utterances.filter(pl.col("text").str.contains("[\u0080-\u009f\ufffd]"))
    if garbled.height:
        words = f"Texts with characters of a wrong encoding: {garbled.height:,}, first in this line."
        findings.append(Finding(garbled["line"][0], "note", words))
    return findings


def _alike(utterances: pl.DataFrame) -> Iterator[str]:
    """Yield a note on groups, and one on ids, that look alike: one group under two names may be in two splits."""
    has_groups = not utterances["video_id"].equals(utterances["utterance_id"])
    for column in ("video_id", "utterance_id") if has_groups else ("utterance_id",):
        alike = groups(utterances[column].unique(maintain_order=True))
        if alike:
            yield (
                f"ATTENTION: {column} has names that look alike and count as several: {len(alike):,} such cases, the "
                f"first are {' and '.join(f'{shortened(name)} ({len(name)} characters)' for name in alike[0][:3])}."
            )


def _rare(utterances: pl.DataFrame, labels: Labels) -> list[Finding]:
    """Return a note for each class on very few rows, which is often another class with a typing error."""
    counts = Counter(utterances["label"].drop_nulls())
    if labels.task != "classification" or len(counts) < 2:
        return []
    first = dict(utterances.select("label", "line").reverse().iter_rows())
    rare = sorted(value for value, number in counts.items() if number <= RARE * utterances.height)
    notes = [
        Finding(
            first[value],
            "note",
            f"Label {labels.name(value)} is on {counts[value]:,} of {utterances.height:,} rows, first in this line"
            f"{nearest(labels.classes[int(value)], [labels.classes[int(x)] for x in counts if x != value])}",
        )
        for value in rare[:NOTED]
    ]
    more = (
        f"{len(rare) - NOTED:,} more labels are on {RARE:.1%} of the rows or less. Check that it is the right column."
    )
    return [*notes, Finding(None, "note", more)] if len(rare) > NOTED else notes
