"""A chunk: the features of a fixed run of utterances of a corpus.

What an encoder makes of a sentence or a frame depends, in the last bits, on the batch it is in. So batches are formed
within a chunk, and a chunk is the same bytes whichever shard makes it, and when.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from trml.base.artifacts import write_bytes
from trml.base.errors import ClipUnreadable
from trml.features.encoders.contract import Encoder
from trml.features.encoders.registry import Encoding
from trml.sources.formats.video_reader import Clip, Part, read_parts

CHUNK = 256  # utterances

_HASH_SIDE = 16


@dataclass
class Chunk:
    """Of n utterances: text [n, d_t], tokens [n, L, d_t] with their mask [n, L] (None where the encoder gives none),
    frames [n, T, d_v] with their mask [n, T]; the number of tokens of each text that the encoder does not see; a hash
    of the middle frame, and why a clip could not be read (both empty where there is nothing to say). A chunk without
    any text has d_t = 0, one without any frame d_v = 0."""

    text: NDArray[np.float32]
    tokens: NDArray[np.float32] | None
    token_mask: NDArray[np.bool_] | None
    frames: NDArray[np.float32]
    frame_mask: NDArray[np.bool_]
    cut: NDArray[np.int32]
    hash: NDArray[np.str_]
    reason: NDArray[np.str_]

    def save(self, path: Path) -> None:
        """As one .npz, put in place whole."""
        import io

        buffer = io.BytesIO()
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Chunk":
        """What `save` wrote. Raises OSError, ValueError or KeyError where the file is not whole."""
        with np.load(path, allow_pickle=False) as arrays:
            absent = {"tokens": None, "token_mask": None}
            return cls(**(absent | {name: arrays[name] for name in arrays.files}))


def encode_chunk(
    encoder: Encoder,
    table: pl.DataFrame,
    media: Path,
    config: Encoding,
    device: torch.device,
    progress: Callable[[int], None] = lambda rows: None,
) -> Chunk:
    """The features of the utterances of `table`, whose clips lie in the folder `media`. `progress` is told how many
    rows are done."""
    texts = table["text"].to_list()
    rows = [row for row, text in enumerate(texts) if text != ""]
    text, tokens, token_mask = _encode_texts(encoder, texts, rows, config.batch_size, device)
    cut = np.zeros(len(texts), dtype=np.int32)
    cut[rows] = encoder.count_cut([texts[row] for row in rows])
    frames, frame_mask, hashes, reasons = _encode_clips(
        encoder, table["clip"].to_list(), media, config, device, progress
    )
    return Chunk(text, tokens, token_mask, frames, frame_mask, cut, np.array(hashes), np.array(reasons))


def _encode_texts(
    encoder: Encoder, texts: list[str], rows: list[int], size: int, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.bool_] | None]:
    """Features of the texts in these rows; the others have zeros and no token."""
    n = len(texts)
    batches = [rows[i : i + size] for i in range(0, len(rows), size)]
    parts = [encoder.encode_sentences([texts[row] for row in batch], device) for batch in batches]
    pooled = np.zeros((n, parts[0].pooled.shape[1] if parts else 0), dtype=np.float32)
    for batch, part in zip(batches, parts, strict=True):
        pooled[batch] = part.pooled.numpy()
    if not parts or parts[0].tokens is None:
        return pooled, None, None
    length = max(part.tokens.shape[1] for part in parts if part.tokens is not None)
    tokens, mask = np.zeros((n, length, pooled.shape[1]), dtype=np.float32), np.zeros((n, length), dtype=bool)
    for batch, part in zip(batches, parts, strict=True):
        assert part.tokens is not None
        assert part.mask is not None
        tokens[batch, : part.tokens.shape[1]] = part.tokens.numpy()
        mask[batch, : part.mask.shape[1]] = part.mask.numpy()
    return pooled, tokens, mask


def _encode_clips(
    encoder: Encoder,
    clips: list[str | None],
    media: Path,
    config: Encoding,
    device: torch.device,
    progress: Callable[[int], None],
) -> tuple[NDArray[np.float32], NDArray[np.bool_], list[str], list[str]]:
    """Frames [n, T, d_v] with their mask, hashes and reasons; frames go through the model in full batches."""
    n = len(clips)
    mask, hashes, reasons = np.zeros((n, config.frames), dtype=bool), [""] * n, [""] * n
    waiting: list[Tensor] = []
    encoded: list[NDArray[np.float32]] = []

    def encode_waiting(at_least: int) -> None:
        while len(waiting) >= at_least:
            encoded.append(encoder.encode_images(torch.stack(waiting[: config.batch_size]), device).numpy())
            del waiting[: config.batch_size]

    for row, found in _decoded(encoder, clips, media, config, device):
        if isinstance(found, ClipUnreadable):
            reasons[row] = str(found)
            continue
        mask[row, : len(found)] = True
        hashes[row] = frame_hash(found[len(found) // 2])
        waiting += found
        encode_waiting(config.batch_size)
        progress(row + 1)
    encode_waiting(1)
    frames = np.zeros((n, config.frames, encoded[0].shape[1] if encoded else 0), dtype=np.float32)
    if encoded:
        frames[mask] = np.concatenate(encoded)  # in order: clip after clip, frame after frame
    return frames, mask, hashes, reasons


def _decoded(
    encoder: Encoder, clips: list[str | None], media: Path, config: Encoding, device: torch.device
) -> Iterator[tuple[int, list[Tensor] | ClipUnreadable]]:
    """The transformed frames of clip after clip, or why there are none, by row. Neighbours that are parts of one video
    are read together. Decoding runs ahead, in threads of its own, while the model computes: one beside a CPU, where it
    takes a small part of the time, all cores beside a GPU."""

    def read(path: Path, parts: list[Part | None]) -> list[Any]:
        return read_parts(path, parts, config.frames, config.frames_per_second, encoder.transform)

    parsed = [(row, Clip.parse(clip, media)) for row, clip in enumerate(clips) if clip is not None]
    workers = (os.cpu_count() or 1) if device.type == "cuda" else 1
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[tuple[list[int], Future[list[Any]]]] = deque()
        for path, group in groupby(parsed, key=lambda each: each[1].path):
            of_file = list(group)
            future = pool.submit(read, path, [clip.part for _, clip in of_file])
            ahead.append(([row for row, _ in of_file], future))
            if len(ahead) > 4 * workers:
                rows, future = ahead.popleft()
                yield from zip(rows, future.result(), strict=True)
        while ahead:
            rows, future = ahead.popleft()
            yield from zip(rows, future.result(), strict=True)


def frame_hash(pixels: Tensor) -> str:
    """A difference hash of a frame [3, H, W]: in each place of a grid of 16 x 16, whether its right neighbour is
    brighter. 64 hexadecimal digits; equal for the same picture at another size or compression, mostly."""
    grey = adaptive_avg_pool2d(pixels.float().mean(dim=0)[None], (_HASH_SIDE, _HASH_SIDE + 1))[0]
    brighter = grey[:, 1:] > grey[:, :-1]
    return np.packbits(brighter.flatten().numpy()).tobytes().hex()


def chunk_count(table: pl.DataFrame) -> int:
    return -(-table.height // CHUNK)


def chunk_path(chunks: Path, i: int) -> Path:
    return chunks / f"{i:05d}.npz"


def load_chunk(chunks: Path, i: int) -> Chunk | None:
    """A finished chunk; one that is damaged is not finished."""
    try:
        return Chunk.load(chunk_path(chunks, i))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None
