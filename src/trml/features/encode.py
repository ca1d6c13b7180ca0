"""TODO docstring."""

from functools import partial
from pathlib import Path

import torch

from trml.base.progress import Meter, say
from trml.corpora.contract import media_folder, read_corpus
from trml.features.chunk import CHUNK, chunk_count, chunk_path, encode_chunk, load_chunk
from trml.features.encoders.load import load_encoder
from trml.features.encoders.registry import Encoding


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
    mine = range(shard[0], chunk_count(table), shard[1])
    left = [i for i in mine if load_chunk(chunks, i) is None]
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
        chunk.save(chunk_path(chunks, i))
    meter.end()


def _add(meter: Meter, before: int, rows: int) -> None:
    meter.update(before + rows)
