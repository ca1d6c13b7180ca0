"""The text + image pairs that a corpus offers to pretrain an encoder on."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from trml.corpora.contract import PAIRS_SCHEMA
from trml.corpora.video import read_frames
from trml.errors import ContractError


def pair_table(corpus: Path, split: str) -> pl.DataFrame:
    """The pairs of a split (PAIRS_SCHEMA). Raises ContractError where the corpus offers none."""
    path = corpus / "pairs.parquet"
    if not path.is_file():
        raise ContractError(f"{corpus.name} offers no pairs.parquet; an encoder needs text + image pairs to learn from")
    return pl.read_parquet(path).match_to_schema(PAIRS_SCHEMA).filter(pl.col("split") == split)


def pictures(corpus: Path, references: pl.Series) -> Iterator[Image.Image]:
    """The RGB pictures of the column `image`: each a file, or a row of an array of pictures."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for reference in references:
        name, _, row = reference.partition("#")
        if not row:
            yield read_frames(corpus / name, 1)[0]
            continue
        if name not in arrays:
            arrays[name] = np.load(corpus / name, mmap_mode="r", allow_pickle=False)
        yield Image.fromarray(arrays[name][int(row)])
