"""Count what a corpus consists of: splits, labels, missing modalities, repeated texts."""

from dataclasses import dataclass

import polars as pl

from trml.corpora.contract import SPLITS, CorpusInfo


@dataclass(frozen=True)
class Facts:
    """The statistics of a corpus.

    Attributes:
        splits: One row a split, in order: split, rows, groups, the shares no_text and no_vision in [0, 1], and
            repeated: rows whose text is also in an earlier split.
        labels: One row a label: label, and its number of rows in each split. Numbers are rounded.
        seconds: Lengths of the utterances whose times are known.
        groups_across: Groups in more than one split.
    """

    splits: pl.DataFrame
    labels: pl.DataFrame
    seconds: pl.Series
    groups_across: int


def facts(info: CorpusInfo, utterances: pl.DataFrame) -> Facts:
    """Return the statistics of utterances in the contract's form; null splits and labels are allowed."""
    with_repeats = utterances.with_columns(repeats(utterances, "text").alias("repeated"))
    splits = (
        with_repeats.group_by("split")
        .agg(
            pl.len().alias("rows"),
            pl.col("video_id").n_unique().alias("groups"),
            (pl.col("text") == "").mean().alias("no_text"),
            pl.col("clip").is_null().mean().alias("no_vision"),
            pl.col("repeated").sum(),
        )
        .sort(_order("split"))
    )
    across = utterances.group_by("video_id").agg(pl.col("split").n_unique()).filter(pl.col("split") > 1).height
    length = (utterances["end_s"] - utterances["start_s"]).drop_nulls()
    return Facts(splits, label_counts(info, utterances), length.filter(length > 0), across)


def _order(column: str) -> pl.Expr:
    return pl.col(column).replace_strict({split: i for i, split in enumerate(SPLITS)}, default=len(SPLITS))


def repeats(utterances: pl.DataFrame, column: str) -> pl.Series:
    """Return whether each row's value is also in an earlier split, character for character, bool [N].

    Null and the empty string are not values.
    """
    place = utterances.select(_order("split").alias("place"), pl.col(column).alias("value"))
    first = place.select(pl.col("place").min().over("value"))["place"]
    return (first < place["place"]) & (place["value"].fill_null("") != "")


def label_counts(info: CorpusInfo, utterances: pl.DataFrame) -> pl.DataFrame:
    """Return one row a label: label, and its number of rows in each split. Numbers are rounded."""
    known = utterances.filter(pl.col("label").is_not_null() & pl.col("split").is_in(SPLITS))
    value = known["label"].cast(pl.Float64).round().cast(pl.Int32)
    names = dict(enumerate(info.classes)) if info.classes else {i: f"{i:+d}" if i else "0" for i in value.unique()}
    counts = known.select("split", value.alias("label")).group_by("label", "split").len()
    wide = {
        split: [sum(counts.filter(pl.col("label") == i, pl.col("split") == split)["len"]) for i in sorted(names)]
        for split in SPLITS
    }
    return pl.DataFrame({"label": [names[i] for i in sorted(names)], **wide})
