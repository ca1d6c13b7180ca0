"""The card of a corpus: what a reader must know of it before believing a number. Sizes, labels, durations, what is
missing for real, what was left out, and what stands in more than one split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trml.corpora.contract import LEFT_OUT_SCHEMA, SPLITS, CorpusInfo, read_corpus
from trml.corpora.statistics import facts, repeats
from trml.features.contract import MEDIA_SCHEMA, read_media
from trml.planning.plan import Plan
from trml.report.style import look, plt, save
from trml.report.tables import Table, to_markdown

_NAMED = 12  # unreadable clips that the card names; media.parquet has all


@dataclass(frozen=True)
class Card:
    """A corpus as it was used: its description, its utterances (with what became of their media), what was left out of
    it, and the name of its dataset in the experiment (empty for the experiment's own)."""

    name: str
    info: CorpusInfo
    utterances: pl.DataFrame
    left_out: pl.DataFrame

    @classmethod
    def of(cls, plan: Plan) -> "Card":
        """Read from the corpus and its features."""
        info, utterances = read_corpus(plan.corpus)
        media = read_media(plan.features)
        if media.is_empty():
            media = utterances.select("utterance_id").with_columns(
                pl.lit(None, dtype=dtype).alias(name) for name, dtype in list(MEDIA_SCHEMA.items())[1:]
            )
        path = plan.corpus / "left_out.parquet"
        left_out = pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=LEFT_OUT_SCHEMA)
        utterances = utterances.join(media, on="utterance_id", how="left", maintain_order="left")
        repeated = [repeats(utterances, column).alias(f"{column}_repeats") for column in ("text", "hash", "video_id")]
        return cls(plan.dataset or "", info, utterances.with_columns(repeated), left_out)

    def split(self, name: str) -> pl.DataFrame:
        """The utterances of one split."""
        return self.utterances.filter(pl.col("split") == name)


def card_table(card: Card) -> Table:
    """The numbers of the card, a column a split."""
    seconds = pl.col("end_s") - pl.col("start_s")
    per_split = {name: card.split(name) for name in SPLITS}

    def row(words: str, value: Any) -> list[tuple[str, bool]]:
        return [(words, False), *((value(table), False) for table in per_split.values())]

    def share(condition: pl.Expr) -> Any:
        return lambda table: f"{table.select(condition.mean()).item():.1%} ({table.select(condition.sum()).item()})"

    def durations(table: pl.DataFrame) -> str:
        known = table.select(seconds.alias("s")).filter(pl.col("s") > 0)["s"].to_numpy()
        return f"{np.median(known):.1f} s ({known.min():.1f} to {known.max():.1f})" if len(known) else ""

    def words(table: pl.DataFrame) -> str:
        counts = table.filter(pl.col("text") != "")["text"].str.split(" ").list.len().to_numpy()
        return f"{np.median(counts):.0f}" if len(counts) else ""

    def hours(table: pl.DataFrame) -> str:
        total = table.select(seconds.sum()).item() / 3600
        return f"{total:.2f} h" if total else ""

    size = [
        row("utterances", lambda table: str(table.height)),
        row("videos, dialogues or posts", lambda table: str(table["video_id"].n_unique())),
        row("length, median (range)", durations),
        row("all together", hours),
        row("words of a text, median", words),
    ]
    missing = [
        row("text missing", share(pl.col("text") == "")),
        row("no clip", share(pl.col("clip").is_null())),
        row("clip that cannot be read", share(pl.col("reason").is_not_null())),
        row("text longer than the encoder reads", share(pl.col("tokens_cut").fill_null(0) > 0)),
    ]
    repeated = [
        row(f"{what}, in an earlier split too", share(pl.col(f"{column}_repeats")))
        for what, column in (("text", "text"), ("middle frame", "hash"), ("video, dialogue or post", "video_id"))
    ]
    groups = [("size", size), ("labels", _labels(card)), ("missing for real", missing), ("repeated", repeated)]
    note = (
        f"{card.info.title}; source: {card.info.source}; licence: {card.info.licence}. Earlier splits: train before "
        "valid before test. Texts are compared word for word, middle frames by a difference hash of 256 bits."
        + _left_out(card)
        + _unreadable(card)
    )
    name = f"corpus_{card.name}" if card.name else "corpus"
    title = f"Corpus {card.info.name}"
    flat = [[group, *(text for text, _ in cells)] for group, rows in groups for cells in rows]
    data = pl.DataFrame(flat, schema=["part", "what", *SPLITS], orient="row")
    return Table(name, title, note, ["", *SPLITS], groups, data)


def _labels(card: Card) -> list[list[tuple[str, bool]]]:
    counts = facts(card.info, card.utterances).labels

    def share(row: dict[str, Any], split: str) -> str:
        return f"{row[split] / max(1, counts[split].sum()):.1%} ({row[split]})"

    return [
        [(row["label"], False), *((share(row, split), False) for split in SPLITS)]
        for row in counts.iter_rows(named=True)
    ]


def _left_out(card: Card) -> str:
    reasons = card.left_out["reason"].value_counts(sort=True)
    if reasons.is_empty():
        return ""
    return " Left out: " + ", ".join(f"{n} ({reason})" for reason, n in reasons.iter_rows()) + "."


def _unreadable(card: Card) -> str:
    rows = card.utterances.filter(pl.col("reason").is_not_null()).select("clip", "reason").rows()
    if not rows:
        return ""
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return " Cannot be read: " + ", ".join(f"{clip} ({reason})" for clip, reason in rows[:_NAMED]) + more + "."


def draw_card(card: Card, folder: Path) -> str:
    """Draw labels, and durations where they differ, by split; the caption."""
    seconds = card.utterances.select("split", s=pl.col("end_s") - pl.col("start_s")).filter(pl.col("s") > 0)
    timed = seconds["s"].n_unique() > 1
    figure, axes = plt.subplots(1, 1 + timed, figsize=(3.4 * (1 + timed), 2.2), squeeze=False, layout="constrained")
    counts = facts(card.info, card.utterances).labels
    words, places = counts["label"].to_list(), np.arange(counts.height)
    for i, split in enumerate(SPLITS):
        shares = counts[split].to_numpy() / max(1, counts[split].sum())
        axes[0, 0].bar(places + (i - 1) * 0.27, shares, 0.25, color=look(i)["color"], label=split)
    axes[0, 0].set_xticks(places, words, rotation=30 if max(map(len, words)) > 4 else 0)
    axes[0, 0].set(xlabel="label" if card.info.classes else "label, rounded", ylabel="share of the split")
    axes[0, 0].grid(axis="x", visible=False)
    axes[0, 0].set_axisbelow(True)
    axes[0, 0].legend()
    if timed:
        longest = max(1.0, float(seconds["s"].quantile(0.99) or 1.0))
        for i, split in enumerate(SPLITS):
            of_split = seconds.filter(pl.col("split") == split)["s"].clip(0, longest).to_numpy()
            weights = np.full(len(of_split), 1 / max(1, len(of_split)))
            axes[0, 1].hist(of_split, 30, (0, longest), weights=weights, histtype="step", color=look(i)["color"])
        axes[0, 1].set(xlabel="seconds (the last bin: and longer)", ylabel="share of the split")
    save(figure, folder, card_table(card).name)
    return f"{card.info.name}: labels by split" + (", and how long its utterances are." if timed else ".")


def write_card(card: Card, path: Path) -> None:
    """The card as a page of its own."""
    lines = [f"# {card.info.title}", "", *(f"- {note}" for note in card.info.notes), "", to_markdown(card_table(card))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
