"""The splits: by the names that people give them, or drawn."""

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
    """train, valid or test, whatever its capitals; None where the name is none of theirs."""
    return _NAMES.get(name.lower())


def draw_splits(groups: pl.Series, seed: int, shares: Shares) -> pl.Series:
    """A split for each row, whole groups at a time, near the stated shares of rows.

    The order of the groups is the seed's; each goes where most is wanting. Three groups or more leave no split empty:
    the first three go to one each, the largest of them to train.
    """
    sizes = dict(groups.value_counts().iter_rows())
    names = sorted(sizes)
    order = [names[i] for i in generator(seed, "own split").permutation(len(names))]
    wanting = {split: getattr(shares, split) * len(groups) for split in SPLITS}
    place = {}
    for i, name in enumerate([*sorted(order[:3], key=lambda g: -sizes[g]), *order[3:]]):
        place[name] = SPLITS[i] if i < 3 else max(SPLITS, key=lambda split: wanting[split])
        wanting[place[name]] -= sizes[name]
    return groups.replace_strict(place, return_dtype=pl.String).alias("split")
