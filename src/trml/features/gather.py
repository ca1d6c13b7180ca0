"""From a corpus to its features: in shards, which may run at the same time and be stopped, each encoding some of the
chunks; gathered into one array a modality, with no more than one chunk in memory at a time.

A corpus that brings its features has no shards: they are taken as they are given.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.errors import ContractError, StoreError
from trml.base.progress import say
from trml.corpora.contract import CorpusInfo, read_corpus
from trml.features.chunk import CHUNK, Chunk, chunk_count, chunk_path, load_chunk
from trml.features.contract import MEDIA_SCHEMA
from trml.features.encoders.load import describe
from trml.features.encoders.registry import Encoding
from trml.features.writer import FeatureWriter

UNREADABLE = 0.02  # of the clips, at most; more, and the run stops

_NAMED = 10


def gather(config: Encoding, corpus: Path, encoder: Path | None, chunks: Path, folder: Path, digest: str) -> None:
    """Write the features of the corpus into `folder`. Clips that cannot be read are missing; utterances that have
    neither text nor vision are left out; both are in media.parquet.

    Raises ContractError where more clips than UNREADABLE cannot be read, or none can.
    """
    info, table = read_corpus(corpus)
    media = _media_table(table, _each(chunks, table))
    unreadable = media.filter(pl.col("reason").is_not_null())
    _require_readable(info, table, unreadable)
    text = (table["text"] != "").to_numpy()
    kept = text | (media["frames"] > 0).to_numpy()
    if not kept.all():
        say(f"{(~kept).sum()} utterances have neither text nor vision and are left out")
    index = table.select("utterance_id", "split", "label").filter(pl.Series(kept))
    about = describe(config, encoder, info, digest)
    writer = FeatureWriter(folder, about, index, _shapes(_each(chunks, table), config.frames))
    for i, chunk in enumerate(_each(chunks, table)):
        rows = slice(i * CHUNK, (i + 1) * CHUNK)
        of_chunk = kept[rows]
        arrays: dict[str, NDArray[Any] | None] = {
            "text": chunk.text,
            "tokens": chunk.tokens,
            "token_mask": chunk.token_mask,
            "frames": chunk.frames,
            "frame_mask": chunk.frame_mask,
            "present": np.stack([text[rows], chunk.frame_mask.any(axis=1)], axis=1),
        }
        writer.append({name: array if array is None else array[of_chunk] for name, array in arrays.items()})
    writer.finish(media)


def _each(chunks: Path, table: pl.DataFrame) -> Iterator[Chunk]:
    for i in range(chunk_count(table)):
        chunk = load_chunk(chunks, i)
        if chunk is None:
            raise StoreError(f"{chunk_path(chunks, i)} is absent or damaged. Make it: snakemake --cores all")
        yield chunk


def _media_table(table: pl.DataFrame, chunks: Iterable[Chunk]) -> pl.DataFrame:
    """What became of each utterance's media (MEDIA_SCHEMA)."""
    parts = [
        pl.DataFrame({"frames": c.frame_mask.sum(axis=1), "hash": c.hash, "reason": c.reason, "tokens_cut": c.cut})
        for c in chunks
    ]
    emptied = [
        pl.when(pl.col(name) == "").then(None).otherwise(pl.col(name)).alias(name) for name in ("hash", "reason")
    ]
    media = pl.concat(parts, how="vertical_relaxed").with_columns(emptied)
    return media.insert_column(0, table["utterance_id"]).cast(MEDIA_SCHEMA)  # type: ignore[arg-type]


def _require_readable(info: CorpusInfo, table: pl.DataFrame, unreadable: pl.DataFrame) -> None:
    clips = table.height - table["clip"].null_count()
    if unreadable.height <= UNREADABLE * clips:
        return
    clip_of = dict(table.select("utterance_id", "clip").iter_rows())
    named = [f"{clip_of[row['utterance_id']]} ({row['reason']})" for row in unreadable.iter_rows(named=True)]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    raise ContractError(
        f"corpus {info.name}: {len(named)} of {clips} clips cannot be read; expected at most {UNREADABLE:.0%}: "
        f"{', '.join(named[:_NAMED])}{more}. Mend these files, or take them away so that they count as missing, and "
        "run it again"
    )


def _shapes(chunks: Iterable[Chunk], frames: int) -> dict[str, tuple[int, ...]]:
    """The shape of each array, less the number of utterances. Where no utterance has a text or none has a clip, the
    zeros in its place are as wide as the other's features."""
    d_text = d_vision = length = 0
    for chunk in chunks:
        d_text, d_vision = max(d_text, chunk.text.shape[1]), max(d_vision, chunk.frames.shape[2])
        length = max(length, 0 if chunk.tokens is None else chunk.tokens.shape[1])
    d_text, d_vision = d_text or d_vision, d_vision or d_text
    shapes: dict[str, tuple[int, ...]] = {
        "text": (d_text,),
        "frames": (frames, d_vision),
        "frame_mask": (frames,),
        "present": (2,),
    }
    return shapes | ({"tokens": (length, d_text), "token_mask": (length,)} if length else {})
