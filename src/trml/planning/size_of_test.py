"""How much test data an experiment will have, before it is run."""

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from trml.base.artifacts import read_json
from trml.config.params import Params


class Size(NamedTuple):
    """What is predicted, and how many test utterances there are, of how many videos, speakers or dialogues."""

    task: str
    groups: int
    utterances: int


def size_of_test(params: Params, work: Path = Path("work")) -> Size | None:
    """Return the size of a corpus that is generated, or was last built under its name; None of any other.

    Nothing is read of the raw files, which may be many.
    """
    config = params.corpus
    generated: Any = config
    if config.kind == "pantomime":
        return Size("regression", generated.speakers.test, generated.speakers.test * generated.utterances)
    built = sorted((work / "corpora").glob(f"{config.name}-*/corpus.json"), key=lambda path: path.stat().st_mtime)
    if not built:
        return None
    table = pl.read_parquet(built[-1].parent / "utterances.parquet", columns=["video_id", "split"])
    test = table.filter(pl.col("split") == "test")
    return Size(read_json(built[-1])["task"], test["video_id"].n_unique(), test.height)
