"""Gather the chunks of a corpus into one feature folder, with one chunk in memory at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.commands import run_again
from trml.base.errors import ContractError, StoreError
from trml.base.progress import say
from trml.corpora.contract import CorpusInfo, read_corpus
from trml.features.chunk import CHUNK, Chunk, chunk_count, chunk_path, load_chunk
from trml.features.contract import MEDIA_SCHEMA, TOKENS, FeatureInfo
from trml.features.encoders.common.config import EncoderConfig
from trml.features.writer import FeatureWriter

UNREADABLE = 0.02  # the share of clips that may be unreadable; above it the run stops
_NAMED = 10


def gather(config: EncoderConfig, corpus: Path, encoder: Path | None, chunks: Path, folder: Path, digest: str) -> None:
    """Write the features of a corpus into `folder`.

    Unreadable clips are missing. Utterances without any modality are left out. Both are in media.parquet.

    Args:
        config: The encoder's configuration.
        corpus: The corpus folder.
        encoder: Where the workflow pretrained the encoder, None if it did not.
        chunks: The folder of chunks.
        folder: An existing folder.
        digest: Name of the feature folder.

    Raises:
        StoreError: If a chunk is absent or damaged.
        ContractError: If the share of unreadable clips is above UNREADABLE, or no utterance has a modality.
    """
    info, table = read_corpus(corpus)
    survey = _survey(chunks, table)
    _require_readable(info, table, survey.media.filter(pl.col("reason").is_not_null()))
    kept = np.concatenate(survey.present)
    if not kept.any():
        raise ContractError(f"corpus {info.name}: no utterance has any of {', '.join(survey.modalities)}")
    if not kept.all():
        say(f"{(~kept).sum()} utterances have none of {', '.join(survey.modalities)} and are left out")
    index = table.select("utterance_id", "split", "label", "draw").filter(pl.Series(kept))
    writer = FeatureWriter(folder, _describe(config, encoder, info, digest, survey), index, survey.shapes)
    for i, chunk in enumerate(_each(chunks, table)):
        writer.append(chunk.views, kept[i * CHUNK : (i + 1) * CHUNK])
    writer.finish(survey.media)


def _each(chunks: Path, table: pl.DataFrame) -> Iterator[Chunk]:
    for i in range(chunk_count(table)):
        chunk = load_chunk(chunks, i)
        if chunk is None:
            raise StoreError(f"{chunk_path(chunks, i)} is absent or damaged. Encode it: {run_again()}")
        yield chunk


@dataclass
class _Survey:
    """A first reading of all chunks: MEDIA_SCHEMA, which rows have a modality (bool, by chunk), and (T, d) by view."""

    media: pl.DataFrame
    present: list[NDArray[np.bool_]] = field(default_factory=list)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def modalities(self) -> list[str]:
        """The modalities, in order."""
        return [name for name in self.shapes if not name.endswith(TOKENS)]

    @property
    def views(self) -> list[str]:
        """The modalities with a second view."""
        return [name.removesuffix(TOKENS) for name in self.shapes if name.endswith(TOKENS)]


def _survey(chunks: Path, table: pl.DataFrame) -> _Survey:
    """Read all chunks once. A modality that no utterance has is as wide as the widest other one."""
    survey, parts = _Survey(pl.DataFrame()), []
    for chunk in _each(chunks, table):
        for name, view in chunk.views.items():
            steps, width = survey.shapes.get(name, (0, 0))
            survey.shapes[name] = max(steps, view.mask.shape[1]), max(width, view.values.shape[2])
        signals = [view for name, view in chunk.views.items() if not name.endswith(TOKENS)]
        survey.present.append(np.logical_or.reduce([view.mask.any(axis=1) for view in signals]))
        parts.append(_media_rows(chunk))
    widest = max(width for _, width in survey.shapes.values())
    survey.shapes = {name: (steps, width or widest) for name, (steps, width) in survey.shapes.items()}
    survey.media = pl.concat(parts, how="vertical_relaxed").insert_column(0, table["utterance_id"])
    survey.media = survey.media.cast(MEDIA_SCHEMA)  # type: ignore[arg-type]
    return survey


def _media_rows(chunk: Chunk) -> pl.DataFrame:
    """Return the rows of media.parquet for a chunk, without utterance_id."""
    vision = chunk.views.get("vision")
    frames = np.zeros(len(chunk.cut), dtype=np.int64) if vision is None else vision.mask.sum(axis=1)
    columns = {"frames": frames, "hash": chunk.hash, "reason": chunk.reason, "tokens_cut": chunk.cut}
    null_if_empty = [
        pl.when(pl.col(name) == "").then(None).otherwise(pl.col(name)).alias(name) for name in ("hash", "reason")
    ]
    return pl.DataFrame(columns).with_columns(null_if_empty)


def _require_readable(info: CorpusInfo, table: pl.DataFrame, unreadable: pl.DataFrame) -> None:
    clips = table.height - table["clip"].null_count()
    if unreadable.height <= UNREADABLE * clips:
        return
    clip_of = dict(table.select("utterance_id", "clip").iter_rows())
    named = [f"{clip_of[row['utterance_id']]} ({row['reason']})" for row in unreadable.iter_rows(named=True)]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    raise ContractError(
        f"corpus {info.name}: {len(named)} of {clips} clips cannot be read; expected at most {UNREADABLE:.0%}: "
        f"{', '.join(named[:_NAMED])}{more}. Repair these files, or remove them so that they count as missing, then "
        f"run: {run_again()}"
    )


def _describe(
    config: EncoderConfig, encoder: Path | None, info: CorpusInfo, digest: str, survey: _Survey
) -> FeatureInfo:
    weights, aligned, retrieval = config.describe(encoder, info)
    record = None if retrieval is None else dict(retrieval)
    return FeatureInfo(
        encoder=config.name,
        weights=weights,
        aligned=aligned,
        retrieval=record,
        task=info.task,
        classes=info.classes,
        digest=digest,
        modalities=survey.modalities,
        views=survey.views,
    )
