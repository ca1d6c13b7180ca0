"""The card of a corpus: sizes, labels, durations, missing modalities, exclusions and repeats across splits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.base.artifacts import read_json
from trml.corpora.contract import LEFT_OUT_SCHEMA, SPLITS, CorpusInfo, read_corpus
from trml.corpora.statistics import label_counts, repeats
from trml.features.contract import MEDIA_SCHEMA, read_media
from trml.report.tables.common.table import Cell, Table, plain, to_markdown

_NAMED = 12  # unreadable clips that the card names; media.parquet has all


@dataclass(frozen=True)
class Card:
    """A corpus as the experiment used it.

    Attributes:
        suffix: The end of its files' names, empty for the experiment's own corpus.
        info: corpus.json.
        utterances: One row per utterance, with the state of its media, and whether text, middle frame and video are
            in an earlier split too. `without_<modality>` says whether a modality beside text and vision is missing.
        left_out: Raw items that are in no utterance, each with the reason.
    """

    suffix: str
    info: CorpusInfo
    utterances: pl.DataFrame
    left_out: pl.DataFrame

    @classmethod
    def read(cls, corpus: Path, features: Path, suffix: str = "") -> "Card":
        """Read a corpus, and the state of its media from its features."""
        info, utterances = read_corpus(corpus)
        media = read_media(features)
        if media.is_empty():
            media = utterances.select("utterance_id").with_columns(
                pl.lit(None, dtype=dtype).alias(name) for name, dtype in list(MEDIA_SCHEMA.items())[1:]
            )
        path = corpus / "left_out.parquet"
        left_out = pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=LEFT_OUT_SCHEMA)
        utterances = utterances.join(media, on="utterance_id", how="left", maintain_order="left")
        repeated = [repeats(utterances, column).alias(f"{column}_repeats") for column in ("text", "hash", "video_id")]
        utterances = utterances.with_columns(repeated)
        utterances = utterances.join(_without(features), on="utterance_id", how="left", maintain_order="left")
        return cls(suffix, info, utterances, left_out)

    @cached_property
    def labels(self) -> pl.DataFrame:
        """One row per label, with its number of utterances in each split."""
        return label_counts(self.info, self.utterances)

    @cached_property
    def table(self) -> Table:
        """The numbers of the card, one column per split."""
        groups = [
            ("size", _size(self)),
            ("labels", _labels(self)),
            ("missing for real", _missing(self)),
            ("repeated", _repeated(self)),
        ]
        note = (
            f"{self.info.title}; source: {self.info.source}; licence: {self.info.licence}. Earlier splits: train "
            "before valid before test. Texts are compared word for word, middle frames by a difference hash of 256 "
            f"bits.{_left_out(self)}{_unreadable(self)}"
        )
        flat = [[group, *(text for text, _ in cells)] for group, rows in groups for cells in rows]
        rows = pl.DataFrame(flat, schema=["part", "what", *SPLITS], orient="row")
        title = f"Corpus {self.info.name}"
        return Table("cards", f"corpus{self.suffix}", title, note, ["", *SPLITS], groups, rows)

    def row(self, words: str, value: Callable[[pl.DataFrame], str]) -> list[Cell]:
        """Return a row of the table: a value of the utterances of each split."""
        return plain([words, *(value(self.utterances.filter(pl.col("split") == split)) for split in SPLITS)])


def write_card(card: Card, path: Path) -> None:
    """Write the card as a page in markdown."""
    lines = [f"# {card.info.title}", "", *(f"- {note}" for note in card.info.notes), "", to_markdown(card.table)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def _without(features: Path) -> pl.DataFrame:
    """Return, for the utterances that have features, whether each modality beside text and vision is missing."""
    others = [name for name in read_json(features / "features.json")["modalities"] if name not in ("text", "vision")]
    masks = {name: np.load(features / f"{name}_mask.npy", mmap_mode="r") for name in others}
    index = pl.read_parquet(features / "index.parquet").select("utterance_id")
    return index.with_columns(pl.Series(f"without_{name}", ~mask.any(axis=1)) for name, mask in masks.items())


_SECONDS = pl.col("end_s") - pl.col("start_s")


def _size(card: Card) -> list[list[Cell]]:
    return [
        card.row("utterances", lambda table: str(table.height)),
        card.row("videos, dialogues or posts", lambda table: str(table["video_id"].n_unique())),
        card.row("length, median (range)", _durations),
        card.row("all together", _hours),
        card.row("words of a text, median", _words),
    ]


def _durations(table: pl.DataFrame) -> str:
    known = table.select(_SECONDS.alias("s")).filter(pl.col("s") > 0)["s"].to_numpy()
    return f"{np.median(known):.1f} s ({known.min():.1f} to {known.max():.1f})" if len(known) else ""


def _hours(table: pl.DataFrame) -> str:
    total = table.select(_SECONDS.sum()).item() / 3600
    return f"{total:.2f} h" if total else ""


def _words(table: pl.DataFrame) -> str:
    counts = table.filter(pl.col("text") != "")["text"].str.split(" ").list.len().to_numpy()
    return f"{np.median(counts):.0f}" if len(counts) else ""


def _labels(card: Card) -> list[list[Cell]]:
    def share(row: dict[str, Any], split: str) -> str:
        return f"{row[split] / max(1, card.labels[split].sum()):.1%} ({row[split]})"

    return [
        plain([row["label"], *(share(row, split) for split in SPLITS)]) for row in card.labels.iter_rows(named=True)
    ]


def _missing(card: Card) -> list[list[Cell]]:
    others = [column for column in card.utterances.columns if column.startswith("without_")]
    return [
        card.row("text missing", _share(pl.col("text") == "")),
        card.row("no clip", _share(pl.col("clip").is_null())),
        *(card.row(f"{column.removeprefix('without_')} missing", _share(pl.col(column))) for column in others),
        card.row("clip that cannot be read", _share(pl.col("reason").is_not_null())),
        card.row("text longer than the encoder reads", _share(pl.col("tokens_cut").fill_null(0) > 0)),
    ]


def _repeated(card: Card) -> list[list[Cell]]:
    compared = (("text", "text"), ("middle frame", "hash"), ("video, dialogue or post", "video_id"))
    return [
        card.row(f"{what}, in an earlier split too", _share(pl.col(f"{column}_repeats"))) for what, column in compared
    ]


def _share(condition: pl.Expr) -> Callable[[pl.DataFrame], str]:
    return lambda table: f"{table.select(condition.mean()).item():.1%} ({table.select(condition.sum()).item()})"


def _left_out(card: Card) -> str:
    reasons = card.left_out["reason"].value_counts().sort("count", "reason", descending=[True, False])
    if reasons.is_empty():
        return ""
    return " Left out: " + ", ".join(f"{n} ({reason})" for reason, n in reasons.iter_rows()) + "."


def _unreadable(card: Card) -> str:
    rows = card.utterances.filter(pl.col("reason").is_not_null()).select("clip", "reason").rows()
    if not rows:
        return ""
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return " Cannot be read: " + ", ".join(f"{clip} ({reason})" for clip, reason in rows[:_NAMED]) + more + "."
