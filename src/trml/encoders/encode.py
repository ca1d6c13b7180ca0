"""From a corpus to its features: sentences and decoded frames through a CLIP, in batches, or features as given."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from trml.config import Encoder, GivenEncoder, OpenClipEncoder, TinyClipEncoder
from trml.corpora.contract import CorpusInfo, read_corpus
from trml.corpora.video import read_frames
from trml.encoders.clip import Clip, load_open_clip, load_tiny_clip
from trml.errors import ContractError
from trml.features import FeatureInfo, FeatureSet
from trml.progress import track
from trml.store import read_json


def encode(config: Encoder, corpus: Path, encoder: Path | None, digest: str, device: torch.device) -> FeatureSet:
    """The features of a corpus folder. `encoder` is the folder of the pretrained tiny CLIP, where there is one."""
    info, table = read_corpus(corpus)
    if isinstance(config, GivenEncoder):
        return _given(info, table, corpus, digest)
    if isinstance(config, TinyClipEncoder):
        assert encoder is not None
        record = read_json(encoder / "encoder.json")
        clip = load_tiny_clip(config, encoder)
        weights = f"pretrained by the workflow on {record['train_pairs']} pairs of {info.name}"
        aligned = record["bar"] is not None
    else:
        record, aligned = None, True
        clip = load_open_clip(config, device)
        weights = f"{config.model}, {config.pretrained or Path(config.checkpoint or '').name}"
    clip.model.to(device)
    text, text_present = _encode_texts(clip, table, config.batch_size, device)
    frames, frame_mask = _encode_clips(clip, table, corpus, config, device)
    return FeatureSet(
        FeatureInfo(config.name, weights, aligned, record, info.task, info.classes, digest),
        table.select("utterance_id", "split", "label"),
        text,
        frames,
        frame_mask,
        np.stack([text_present, frame_mask.any(axis=1)], axis=1),
    )


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
    clip: Clip, table: pl.DataFrame, batch: int, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    texts = table["text"].to_list()
    starts = range(0, len(texts), batch)
    encoded = [
        clip.encode_text(texts[i : i + batch], device).numpy()
        for i in track(starts, len(starts), "batches of text encoded")
    ]
    present = np.array([text != "" for text in texts])
    return np.concatenate(encoded) * present[:, None].astype(np.float32), present


def _encode_clips(
    clip: Clip, table: pl.DataFrame, corpus: Path, config: OpenClipEncoder | TinyClipEncoder, device: torch.device
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Encode the frames of all clips in full batches; frames [N, T, d] and their mask [N, T]."""
    mask = np.zeros((table.height, config.frames), dtype=bool)
    waiting: list[torch.Tensor] = []
    chunks: list[NDArray[np.float32]] = []

    def encode_waiting(at_least: int) -> None:
        while len(waiting) >= at_least:
            chunks.append(clip.encode_images(torch.stack(waiting[: config.batch_size]), device).numpy())
            del waiting[: config.batch_size]

    pictures = _decoded(clip, [corpus / name if name else None for name in table["clip"]], config.frames, device)
    for row, of_clip in enumerate(track(pictures, table.height, "clips decoded and encoded")):
        mask[row, : len(of_clip)] = True
        waiting += of_clip
        encode_waiting(config.batch_size)
    encode_waiting(1)
    if not chunks:
        raise ContractError(f"corpus {corpus.name}: no utterance has a clip; expected text and video")
    encoded = np.concatenate(chunks)
    frames = np.zeros((*mask.shape, encoded.shape[1]), dtype=np.float32)
    frames[mask] = encoded  # in order: clip after clip, frame after frame
    return frames, mask


def _decoded(
    clip: Clip, paths: Sequence[Path | None], frames: int, device: torch.device
) -> Iterator[list[torch.Tensor]]:
    """The transformed frames of clip after clip, decoded ahead in threads of their own while the model computes: one
    beside a CPU, where decoding takes a small part of the time, all cores beside a GPU. No path, no frames."""

    def decode(path: Path | None) -> list[torch.Tensor]:
        return [] if path is None else [clip.transform(picture) for picture in read_frames(path, frames)]

    workers = (os.cpu_count() or 1) if device.type == "cuda" else 1
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[list[torch.Tensor]]] = deque()
        for path in paths:
            ahead.append(pool.submit(decode, path))
            if len(ahead) > 8 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
