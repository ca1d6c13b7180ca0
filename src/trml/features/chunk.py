"""Encode a chunk: the features of a fixed run of CHUNK utterances.

The last bits of a vector depend on the batch it is computed in. So batches are formed within a chunk, and a chunk has
the same bytes whichever shard encodes it, and when.
"""

import io
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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
from trml.base.errors import ClipUnreadable, ContractError
from trml.features.contract import MASK, TOKENS, View
from trml.features.encoders.common.config import EncoderConfig
from trml.features.encoders.contract import Encoder, Sequences
from trml.sources.formats.video_reader import Clip, Part, read_parts

CHUNK = 256  # utterances
_HASH_SIDE = 16


@dataclass
class Chunk:
    """The features of n consecutive utterances.

    Attributes:
        views: By name, as in a feature folder, values [n, T, d] and mask [n, T]. A view without any item has d = 0.
        cut: int [n], tokens of each text beyond the model's limit.
        hash: str [n], of the middle frame; empty without a frame.
        reason: str [n], why a clip is unreadable; empty if it is not.
    """

    views: Mapping[str, View]
    cut: NDArray[np.int32]
    hash: NDArray[np.str_]
    reason: NDArray[np.str_]

    def save(self, path: Path) -> None:
        """Write one .npz atomically."""
        arrays: dict[str, NDArray[Any]] = {"cut": self.cut, "hash": self.hash, "reason": self.reason}
        for name, view in self.views.items():
            arrays |= {name: view.values, f"{name}{MASK}": view.mask}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> "Chunk":
        """Read what `save` wrote.

        Raises:
            OSError, ValueError, KeyError: If the file is absent or damaged.
        """
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        names = [name.removesuffix(MASK) for name in arrays if name.endswith(MASK)]
        views = {name: View(arrays[name], arrays[f"{name}{MASK}"]) for name in names}
        return cls(views, arrays["cut"], arrays["hash"], arrays["reason"])


@dataclass(frozen=True)
class Reading:
    """How clips are read and encoded.

    Attributes:
        media: The folder that the paths of clips start in.
        frames: Of a clip, at most.
        per_second: A limit on the frames of a clip, None without one.
        batch_size: Of sentences and of frames.
        ahead: Threads that decode while the model computes.
    """

    media: Path
    frames: int
    per_second: float | None
    batch_size: int
    ahead: int

    @classmethod
    def of(cls, config: EncoderConfig, media: Path, device: torch.device) -> "Reading":
        """Return the options of an encoder. Decoding takes a small part of the time except with a GPU."""
        ahead = (os.cpu_count() or 1) if device.type == "cuda" else 1
        return cls(media, config.frames, config.frames_per_second, config.batch_size, ahead)


def encode_chunk(
    encoder: Encoder,
    modalities: tuple[str, ...],
    table: pl.DataFrame,
    reading: Reading,
    progress: Callable[[int], None] = lambda rows: None,
) -> Chunk:
    """Encode the utterances of `table`.

    Args:
        encoder: A loaded encoder.
        modalities: What to encode.
        table: Rows of utterances.parquet.
        reading: How their clips are read.
        progress: Called with the number of rows done.

    Raises:
        ContractError: If a modality cannot be read from media.
    """
    unreadable = set(modalities) - {"text", "vision"}
    if unreadable:
        raise ContractError(f"{', '.join(sorted(unreadable))} cannot be encoded; expected text, vision")
    n = table.height
    chunk = Chunk({}, np.zeros(n, dtype=np.int32), np.full(n, ""), np.full(n, ""))
    views: dict[str, View] = {}
    if "text" in modalities:
        texts = table["text"].to_list()
        rows = [row for row, text in enumerate(texts) if text != ""]
        views |= _encode_texts(encoder, texts, rows, reading.batch_size)
        chunk.cut[rows] = encoder.count_cut([texts[row] for row in rows])
    if "vision" in modalities:
        views["vision"], hashes, reasons = _encode_clips(encoder, table["clip"].to_list(), reading, progress)
        chunk.hash, chunk.reason = np.array(hashes), np.array(reasons)
    chunk.views = views
    return chunk


def _encode_texts(encoder: Encoder, texts: list[str], rows: list[int], size: int) -> dict[str, View]:
    """Encode the texts of some rows. The other rows have zeros and an empty mask."""
    batches = [rows[i : i + size] for i in range(0, len(rows), size)]
    parts = [encoder.encode("text", [texts[row] for row in batch]) for batch in batches]
    views = {"text": _in_rows(len(texts), batches, [part.pooled for part in parts])}
    tokens = [part.tokens for part in parts if part.tokens is not None]
    if tokens:
        views[f"text{TOKENS}"] = _in_rows(len(texts), batches, tokens)
    return views


def _in_rows(n: int, batches: list[list[int]], parts: list[Sequences]) -> View:
    """Put batches of sequences into their rows, padded with zeros to the longest."""
    steps = max((part.mask.shape[1] for part in parts), default=1)
    width = parts[0].values.shape[2] if parts else 0
    values, mask = np.zeros((n, steps, width), dtype=np.float32), np.zeros((n, steps), dtype=bool)
    for batch, part in zip(batches, parts, strict=True):
        values[batch, : part.values.shape[1]] = part.values.numpy()
        mask[batch, : part.mask.shape[1]] = part.mask.numpy()
    return View(values, mask)


def _encode_clips(
    encoder: Encoder, clips: list[str | None], reading: Reading, progress: Callable[[int], None]
) -> tuple[View, list[str], list[str]]:
    """Return the frames of each clip, hashes and reasons. Frames are encoded in full batches, across clips."""
    n, size = len(clips), reading.batch_size
    mask, hashes, reasons = np.zeros((n, reading.frames), dtype=bool), [""] * n, [""] * n
    waiting: list[Tensor] = []
    encoded: list[NDArray[np.float32]] = []

    def encode_waiting(at_least: int) -> None:
        while len(waiting) >= at_least:
            encoded.append(encoder.encode("vision", waiting[:size]).pooled.values[:, 0].numpy())
            del waiting[:size]

    for row, frames in _decoded(encoder, clips, reading):
        if isinstance(frames, ClipUnreadable):
            reasons[row] = str(frames)
            continue
        mask[row, : len(frames)] = True
        hashes[row] = frame_hash(frames[len(frames) // 2])
        waiting += frames
        encode_waiting(size)
        progress(row + 1)
    encode_waiting(1)
    values = np.zeros((n, reading.frames, encoded[0].shape[1] if encoded else 0), dtype=np.float32)
    if encoded:
        values[mask] = np.concatenate(encoded)  # in order: clip after clip, frame after frame
    return View(values, mask), hashes, reasons


def _decoded(
    encoder: Encoder, clips: list[str | None], reading: Reading
) -> Iterator[tuple[int, list[Tensor] | ClipUnreadable]]:
    """Yield the row and the transformed frames of each clip, or why it is unreadable.

    Neighbours that are parts of one video are read together. Threads decode ahead of the model.
    """

    def read(path: Path, parts: list[Part | None]) -> list[Any]:
        return read_parts(path, parts, reading.frames, reading.per_second, encoder.transform)

    parsed = [(row, Clip.parse(clip, reading.media)) for row, clip in enumerate(clips) if clip is not None]
    with ThreadPoolExecutor(reading.ahead) as pool:
        ahead: deque[tuple[list[int], Future[list[Any]]]] = deque()
        for path, group in groupby(parsed, key=lambda each: each[1].path):
            of_file = list(group)
            future = pool.submit(read, path, [clip.part for _, clip in of_file])
            ahead.append(([row for row, _ in of_file], future))
            if len(ahead) > 4 * reading.ahead:
                rows, future = ahead.popleft()
                yield from zip(rows, future.result(), strict=True)
        while ahead:
            rows, future = ahead.popleft()
            yield from zip(rows, future.result(), strict=True)


def frame_hash(pixels: Tensor) -> str:
    """Return a difference hash of a frame [3, H, W], 64 hexadecimal digits.

    Each bit of a 16 x 16 grid says whether the right neighbour is brighter. Mostly equal for the same picture at
    another size or compression.
    """
    grey = adaptive_avg_pool2d(pixels.float().mean(dim=0)[None], (_HASH_SIDE, _HASH_SIDE + 1))[0]
    brighter = grey[:, 1:] > grey[:, :-1]
    return np.packbits(brighter.flatten().numpy()).tobytes().hex()


def chunk_count(table: pl.DataFrame) -> int:
    """Return how many chunks a corpus has."""
    return -(-table.height // CHUNK)


def chunk_path(chunks: Path, i: int) -> Path:
    """Return the file of a chunk."""
    return chunks / f"{i:05d}.npz"


def load_chunk(chunks: Path, i: int) -> Chunk | None:
    """Read a chunk; None if it is absent or damaged."""
    try:
        return Chunk.load(chunk_path(chunks, i))
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None
