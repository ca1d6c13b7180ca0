"""What a corpus is made of, counted from its tables: splits, labels, what is missing for real, what is there twice."""

from dataclasses import dataclass

import polars as pl

from trml.corpora.contract import SPLITS, CorpusInfo


@dataclass(frozen=True)
class Facts:
    """splits: a row a split (split, rows, groups, no_text, no_vision: shares; repeated: rows whose text is in a split
    before it). labels: a row a label, with its rows in each split; numbers are counted by the whole number they are
    nearest to. seconds: of the clips whose length the table tells. groups_across: groups in more than one split."""

    splits: pl.DataFrame
    labels: pl.DataFrame
    seconds: pl.Series
    groups_across: int


def facts(info: CorpusInfo, utterances: pl.DataFrame) -> Facts:
    """Count the utterances of a corpus, as the contract has them."""
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
    return Facts(splits, _label_counts(info, utterances), length.filter(length > 0), across)


def _order(column: str) -> pl.Expr:
    return pl.col(column).replace_strict({split: i for i, split in enumerate(SPLITS)}, default=len(SPLITS))


def repeats(utterances: pl.DataFrame, column: str) -> pl.Series:
    """Whether a row's value, character for character, is in a split before its own. Null and empty are no value."""
    place = utterances.select(_order("split").alias("place"), pl.col(column).alias("value"))
    first = place.select(pl.col("place").min().over("value"))["place"]
    return (first < place["place"]) & (place["value"].fill_null("") != "")


def _label_counts(info: CorpusInfo, utterances: pl.DataFrame) -> pl.DataFrame:
    known = utterances.filter(pl.col("label").is_not_null() & pl.col("split").is_in(SPLITS))
    value = known["label"].cast(pl.Float64).round().cast(pl.Int32)
    names = dict(enumerate(info.classes)) if info.classes else {i: f"{i:+d}" if i else "0" for i in value.unique()}
    counts = known.select("split", value.alias("label")).group_by("label", "split").len()
    wide = {
        split: [sum(counts.filter(pl.col("label") == i, pl.col("split") == split)["len"]) for i in sorted(names)]
        for split in SPLITS
    }
    return pl.DataFrame({"label": [names[i] for i in sorted(names)], **wide})
