"""Recognise the splits of a table by their usual names, or draw a split."""

import polars as pl

from trml.corpora.contract import SPLITS
from trml.corpora.user_table.config import Shares
from trml.seeding import generator

_NAMES = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev", "development"), "valid"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), "test"),
}


def split_of(name: str) -> str | None:
    """Return train, valid or test for a name of a split in any capitals, None for another name."""
    return _NAMES.get(name.lower())


def draw_splits(groups: pl.Series, seed: int, shares: Shares) -> pl.Series:
    """Draw a split for each row, whole groups at a time, close to the stated shares of rows.

    Groups are taken in an order drawn with the seed. Each goes to the split that lacks most rows. The first three go to
    one split each, the largest of them to train, so that three groups or more leave no split empty.

    Args:
        groups: The group of each row.
        seed: Of the order.
        shares: Of the rows in each split.
    """
    sizes = dict(groups.value_counts().iter_rows())
    names = sorted(sizes)
    order = [names[i] for i in generator(seed, "own split").permutation(len(names))]
    lacking = {split: getattr(shares, split) * len(groups) for split in SPLITS}
    place = {}
    for i, name in enumerate([*sorted(order[:3], key=lambda g: -sizes[g]), *order[3:]]):
        place[name] = SPLITS[i] if i < 3 else max(SPLITS, key=lambda split: lacking[split])
        lacking[place[name]] -= sizes[name]
    return groups.replace_strict(place, return_dtype=pl.String).alias("split")
