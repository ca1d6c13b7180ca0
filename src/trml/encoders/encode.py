"""From a corpus to its features: sentences and decoded frames through an encoder, in batches, or features as given."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.config import Encoder, Encoding, GivenEncoder, OpenClipEncoder, SeparateEncoder, TinySeparateEncoder
from trml.corpora.contract import CorpusInfo, read_corpus
from trml.corpora.video import read_frames
from trml.encoders.base import Encoder as LoadedEncoder
from trml.encoders.clip import load_open_clip, load_tiny_clip
from trml.errors import ContractError
from trml.features import FeatureInfo, FeatureSet
from trml.progress import track
from trml.store import read_json


def encode(config: Encoder, corpus: Path, folder: Path | None, digest: str, device: torch.device) -> FeatureSet:
    """The features of a corpus folder. `folder` is that of the encoder, where the workflow pretrained one."""
    info, table = read_corpus(corpus)
    if isinstance(config, GivenEncoder):
        return _given(info, table, corpus, digest)
    encoder, about = _load(config, folder, info, digest, device)
    encoder.to(device)
    text, tokens, token_mask = _encode_texts(encoder, table["text"].to_list(), config.batch_size, device)
    frames, frame_mask = _encode_clips(encoder, table, corpus, config.frames, config.batch_size, device)
    return FeatureSet(
        about,
        table.select("utterance_id", "split", "label"),
        text,
        frames,
        frame_mask,
        np.stack([(table["text"] != "").to_numpy(), frame_mask.any(axis=1)], axis=1),
        tokens,
        token_mask,
    )


def _load(
    config: Encoding, folder: Path | None, info: CorpusInfo, digest: str, device: torch.device
) -> tuple[LoadedEncoder, FeatureInfo]:
    """The encoder and what features.json says of it. transformers is imported by the encoders that need it."""
    record, aligned = None, True
    loaded: LoadedEncoder
    if isinstance(config, OpenClipEncoder):
        loaded = load_open_clip(config, device)
        weights = f"{config.model}, {config.pretrained or Path(config.checkpoint or '').name}"
    elif isinstance(config, SeparateEncoder):
        from trml.encoders.separate import load_separate

        loaded, aligned = load_separate(config), False
        weights = f"text by {config.text}, pictures by {config.vision}, two models that never saw each other"
    elif isinstance(config, TinySeparateEncoder):
        from trml.encoders.separate import load_tiny_separate

        assert folder is not None
        loaded, aligned = load_tiny_separate(config, folder), False
        weights = f"{read_json(folder / 'encoder.json')['how']} of {info.name}"
    else:
        assert folder is not None
        loaded, record = load_tiny_clip(config, folder), read_json(folder / "encoder.json")
        aligned = record["bar"] is not None
        weights = f"pretrained by the workflow on {record['train_pairs']} pairs of {info.name}"
    return loaded, FeatureInfo(config.name, weights, aligned, record, info.task, info.classes, digest)


def _given(info: CorpusInfo, table: pl.DataFrame, corpus: Path, digest: str) -> FeatureSet:
    text, frames, frame_mask = (
        np.load(corpus / "given" / f"{name}.npy", allow_pickle=False) for name in ("text", "frames", "frame_mask")
    )
    present = np.stack([(table["text"] != "").to_numpy(), frame_mask.any(axis=1)], axis=1)
    return FeatureSet(
        FeatureInfo("given", "the corpus's own features", False, None, info.task, info.classes, digest),
        table.select("utterance_id", "split", "label"),
        text,
        frames,
        frame_mask,
        present,
    )


def _encode_texts(
    encoder: LoadedEncoder, texts: list[str], batch: int, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.bool_] | None]:
    """Pooled features [N, d], and tokens [N, L, d] with their mask [N, L] where the encoder gives them, L the longest
    text of all. An absent text has no feature and no token."""
    rows = [i for i, text in enumerate(texts) if text != ""]
    batches = [rows[i : i + batch] for i in range(0, len(rows), batch)]
    if not batches:
        raise ContractError("no utterance has a text; expected text and video")
    parts = [
        encoder.encode_sentences([texts[i] for i in batch], device)
        for batch in track(batches, len(batches), "batches of text encoded")
    ]
    pooled = np.zeros((len(texts), parts[0].pooled.shape[1]), dtype=np.float32)
    pooled[rows] = torch.cat([part.pooled for part in parts]).numpy()
    lengths = [part.tokens.shape[1] for part in parts if part.tokens is not None]
    if not lengths:
        return pooled, None, None
    tokens = np.zeros((len(texts), max(lengths), pooled.shape[1]), dtype=np.float32)
    mask = np.zeros(tokens.shape[:2], dtype=bool)
    for of_batch, part, length in zip(batches, parts, lengths, strict=True):
        tokens[of_batch, :length], mask[of_batch, :length] = part.tokens, part.mask
        part.tokens = None  # of a large corpus they fill gigabytes, and twice is too much
    return pooled, tokens, mask


def _encode_clips(
    encoder: LoadedEncoder, table: pl.DataFrame, corpus: Path, count: int, batch: int, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Encode the frames of all clips in full batches; frames [N, T, d] and their mask [N, T]."""
    mask = np.zeros((table.height, count), dtype=bool)
    waiting: list[torch.Tensor] = []
    chunks: list[NDArray[np.float32]] = []

    def encode_waiting(at_least: int) -> None:
        while len(waiting) >= at_least:
            chunks.append(encoder.encode_images(torch.stack(waiting[:batch]), device).numpy())
            del waiting[:batch]

    pictures = _decoded(encoder, [corpus / name if name else None for name in table["clip"]], count, device)
    for row, of_clip in enumerate(track(pictures, table.height, "clips decoded and encoded")):
        mask[row, : len(of_clip)] = True
        waiting += of_clip
        encode_waiting(batch)
    encode_waiting(1)
    if not chunks:
        raise ContractError(f"corpus {corpus.name}: no utterance has a clip; expected text and video")
    encoded = np.concatenate(chunks)
    frames = np.zeros((*mask.shape, encoded.shape[1]), dtype=np.float32)
    frames[mask] = encoded  # in order: clip after clip, frame after frame
    return frames, mask


def _decoded(
    encoder: LoadedEncoder, paths: Sequence[Path | None], frames: int, device: torch.device
) -> Iterator[list[torch.Tensor]]:
    """The transformed frames of clip after clip, decoded ahead in threads of their own while the model computes: one
    beside a CPU, where decoding takes a small part of the time, all cores beside a GPU. No path, no frames."""

    def decode(path: Path | None) -> list[torch.Tensor]:
        return [] if path is None else [encoder.transform(picture) for picture in read_frames(path, frames)]

    workers = (os.cpu_count() or 1) if device.type == "cuda" else 1
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[list[torch.Tensor]]] = deque()
        for path in paths:
            ahead.append(pool.submit(decode, path))
            if len(ahead) > 8 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
