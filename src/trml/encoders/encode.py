"""From a corpus to its features: in shards, which may run at the same time and be stopped, each encoding some of the
chunks; gathered into one array a modality, with no more than one chunk in memory at a time.

A corpus that brings its features has no shards: they are taken as they are given.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.config import Encoding, GivenEncoder
from trml.corpora.contract import CorpusInfo, media_folder, read_corpus
from trml.encoders.chunk import CHUNK, Chunk, encode_chunk
from trml.encoders.load import describe, load_encoder
from trml.errors import ContractError, StoreError
from trml.features import MEDIA_SCHEMA, FeatureSet, FeatureWriter, write_features
from trml.progress import Meter, say

UNREADABLE = 0.02  # of the clips, at most; more, and the run stops
_NAMED = 10


def encode_shard(
    config: Encoding,
    corpus: Path,
    data: Path,
    encoder: Path | None,
    chunks: Path,
    shard: tuple[int, int],
    device: torch.device,
) -> None:
    """Encode every chunk i of the corpus with i = shard[0] modulo shard[1] (shards count from 0) into the folder
    `chunks`; those that are there already are left as they are. `encoder` is the folder of a pretrained encoder."""
    info, table = read_corpus(corpus)
    mine = range(shard[0], _chunk_count(table), shard[1])
    left = [i for i in mine if _load(chunks, i) is None]
    if not left:
        return
    if len(left) < len(mine):
        say(f"{len(mine) - len(left)} of {len(mine)} chunks are there already")
    loaded = load_encoder(config, encoder, device)
    media = media_folder(corpus, info, data)
    pieces = {i: table.slice(i * CHUNK, CHUNK) for i in left}
    meter, done = Meter("utterances encoded", sum(rows.height for rows in pieces.values())), 0
    for i, rows in pieces.items():
        chunk = encode_chunk(loaded, rows, media, config, device, partial(_add, meter, done))
        done += rows.height
        for clip, reason in zip(rows["clip"], chunk.reason, strict=True):
            if reason:
                say(f"{clip}: {reason}")
        chunk.save(_path(chunks, i))
    meter.end()


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


def take_given(corpus: Path, folder: Path, digest: str) -> None:
    """Write the features that a corpus brings into `folder`."""
    info, table = read_corpus(corpus)
    brought = corpus / "given"
    text, frames, frame_mask = (
        np.load(brought / f"{name}.npy", allow_pickle=False) for name in ("text", "frames", "frame_mask")
    )
    present = np.stack([(table["text"] != "").to_numpy(), frame_mask.any(axis=1)], axis=1)
    if (brought / "present.npy").is_file():
        present = np.load(brought / "present.npy", allow_pickle=False)
    hashes = [
        sha256(clip.tobytes()).hexdigest() if seen.any() else None
        for clip, seen in zip(frames, frame_mask, strict=True)
    ]
    media = pl.DataFrame({"utterance_id": table["utterance_id"], "frames": frame_mask.sum(axis=1), "hash": hashes})
    media = media.with_columns(reason=pl.lit(None), tokens_cut=0).cast(MEDIA_SCHEMA)  # type: ignore[arg-type]
    kept = np.asarray(present).any(axis=1)
    about = describe(GivenEncoder("given", "given"), None, info, digest)
    index = table.select("utterance_id", "split", "label").filter(pl.Series(kept))
    write_features(folder, FeatureSet(about, index, text[kept], frames[kept], frame_mask[kept], present[kept]), media)


def _chunk_count(table: pl.DataFrame) -> int:
    return -(-table.height // CHUNK)


def _path(chunks: Path, i: int) -> Path:
    return chunks / f"{i:05d}.npz"


def _add(meter: Meter, before: int, rows: int) -> None:
    meter.update(before + rows)


def _load(chunks: Path, i: int) -> Chunk | None:
    """A finished chunk; one that is damaged is not finished."""
    try:
        return Chunk.load(_path(chunks, i))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None


def _each(chunks: Path, table: pl.DataFrame) -> Iterator[Chunk]:
    for i in range(_chunk_count(table)):
        chunk = _load(chunks, i)
        if chunk is None:
            raise StoreError(f"{_path(chunks, i)} is absent or damaged. Make it: snakemake --cores all")
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
