"""The text + image pairs to pretrain an encoder on: those that a corpus offers, else its own utterances, each with the
middle frame of its clip. Test utterances are never shown to an encoder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from trml.base.errors import ClipUnreadable
from trml.base.progress import say
from trml.corpora.contract import PAIRS_SCHEMA, media_folder, read_corpus
from trml.sources.formats.video_reader import Clip, read_frames

_ARRAY = ".npy#"  # pairs.npy#7 is row 7 of an array of pictures


def pair_table(corpus: Path, split: str) -> pl.DataFrame:
    """The pairs of a split, `train` to learn from or `heldout` to look at (PAIRS_SCHEMA). Of a corpus that offers none,
    `heldout` is its dev part, the group of a pair is its class or the sign of its label, and one of text (then empty)
    and image (then null) may be absent."""
    path = corpus / "pairs.parquet"
    if path.is_file():
        return pl.read_parquet(path).match_to_schema(PAIRS_SCHEMA).filter(pl.col("split") == split)
    info, utterances = read_corpus(corpus)
    group = pl.col("label").sign() if info.task == "regression" else pl.col("label")
    return (
        utterances.filter(pl.col("split") == {"train": "train", "heldout": "valid"}[split])
        .select("text", pl.col("clip").alias("image"), group.alias("group"), pl.lit(split).alias("split"))
        .cast(PAIRS_SCHEMA)  # type: ignore[arg-type]
    )


def pictures(corpus: Path, data: Path, references: pl.Series) -> Iterator[tuple[int, Image.Image]]:
    """The RGB pictures of the column `image`, each with its row: a frame of a clip, or a row of an array. Those that
    are null or cannot be read are passed over."""
    info, _ = read_corpus(corpus)
    media = media_folder(corpus, info, data)
    arrays: dict[str, NDArray[np.uint8]] = {}
    for row, reference in enumerate(references):
        if reference is not None and _ARRAY in reference:
            name, _, place = reference.partition("#")
            if name not in arrays:
                arrays[name] = np.load(corpus / name, mmap_mode="r", allow_pickle=False)
            yield row, Image.fromarray(arrays[name][int(place)])
        elif reference is not None:
            try:
                yield row, read_frames(Clip.parse(reference, media), 1)[0]
            except ClipUnreadable as error:
                say(f"{reference}: {error}")
