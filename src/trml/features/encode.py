"""Encode a shard of a corpus. Shards may run at the same time, and resume after a stop."""

from functools import partial
from pathlib import Path

import torch

from trml.base.progress import Meter, say
from trml.corpora.contract import CorpusInfo, media_folder, read_corpus
from trml.features.chunk import CHUNK, Reading, chunk_count, chunk_path, encode_chunk, load_chunk
from trml.features.encoders.common.config import EncoderConfig
from trml.features.encoders.registry import load_encoder
from trml.missing.modalities import in_order


def encode_shard(
    config: EncoderConfig,
    corpus: Path,
    data: Path,
    encoder: Path | None,
    chunks: Path,
    shard: tuple[int, int],
    device: torch.device,
) -> None:
    """Encode every chunk i with i = shard[0] modulo shard[1] into the folder `chunks`; finished chunks are kept.

    Args:
        config: The encoder's configuration.
        corpus: The corpus folder.
        data: The folder of raw corpora, which clips may be in.
        encoder: Where the workflow pretrained the encoder, None if it did not.
        chunks: The folder of chunks.
        shard: Number of the shard, from 0, and how many there are.
        device: Where the model computes.
    """
    info, table = read_corpus(corpus)
    mine = range(shard[0], chunk_count(table), shard[1])
    left = [i for i in mine if load_chunk(chunks, i) is None]
    if not left:
        return
    if len(left) < len(mine):
        say(f"{len(mine) - len(left)} of {len(mine)} chunks are encoded already")
    loaded = load_encoder(config, encoder, device)
    reading = Reading.of(config, media_folder(corpus, info, data), device)
    pieces = {i: table.slice(i * CHUNK, CHUNK) for i in left}
    meter, done = Meter("utterances encoded", sum(rows.height for rows in pieces.values())), 0
    for i, rows in pieces.items():
        chunk = encode_chunk(loaded, encoded_modalities(config, info), rows, reading, partial(_add, meter, done))
        done += rows.height
        for clip, reason in zip(rows["clip"], chunk.reason, strict=True):
            if reason:
                say(f"{clip}: {reason}")
        chunk.save(chunk_path(chunks, i))
    meter.end()


def encoded_modalities(config: EncoderConfig, info: CorpusInfo) -> tuple[str, ...]:
    """Return the modalities of a corpus that an encoder encodes, in order."""
    return in_order(set(info.modalities) & set(config.modalities))


def _add(meter: Meter, before: int, rows: int) -> None:
    meter.update(before + rows)
