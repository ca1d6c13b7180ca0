"""Read the pairs of a text and a picture that encoders are pretrained on. Test utterances are never among them."""

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
    """Return the pairs of a split (PAIRS_SCHEMA).

    Args:
        corpus: The corpus folder.
        split: `train`, or `heldout` to measure on.

    Returns:
        The pairs that the corpus offers. Without any, its own train or dev utterances: the group is the class or the
        sign of the label, a missing text is empty, a missing image is null.
    """
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
    """Yield the RGB pictures of the column `image` with their rows: the middle frame of a clip, or a row of an array.

    Null and unreadable ones are skipped.
    """
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
