"""A corpus of synthetic video files."""

from pathlib import Path

import av
import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.corpora.contract import CorpusInfo, read_corpus, write_corpus

WIDTH, HEIGHT, FRAMES_PER_SECOND, SECONDS = 320, 240, 25, 3


def write_clip_corpus(folder: Path, clips: int) -> Path:
    """Write a corpus folder with so many clips in media/, a sentence each."""
    (folder / "media").mkdir(parents=True)
    names = [f"media/{i:04d}.mp4" for i in range(clips)]
    for i, name in enumerate(names):
        _write(folder / name, _moving(np.random.default_rng(i)))
    columns = {
        "utterance_id": [f"u{i}" for i in range(clips)],
        "video_id": [f"v{i}" for i in range(clips)],
        "split": ["train"] * (clips - 2) + ["valid", "test"],
        "text": [f"what is said in clip {i}" for i in range(clips)],
        "clip": names,
        "start_s": [0.0] * clips,
        "end_s": [float(SECONDS)] * clips,
        "label": [0.0] * clips,
    }
    info = CorpusInfo("synthetic", "synthetic", "regression", [], "", "", "files", [], "synthetic")
    write_corpus(folder, info, pl.DataFrame(columns))
    return folder


def few(corpus: Path, folder: Path, clips: int) -> Path:
    """Write the same corpus with only its first clips; the other utterances have none."""
    folder.mkdir()
    (folder / "media").symlink_to(corpus / "media")
    info, table = read_corpus(corpus)
    first = pl.when(pl.int_range(pl.len()) < clips).then(pl.col("clip"))
    write_corpus(folder, info, table.with_columns(clip=first))
    return folder


def _moving(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return frames [T, H, W, 3]: waves that move, a bright disc on its way, and the noise of a camera."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    frames = np.empty((FRAMES_PER_SECOND * SECONDS, HEIGHT, WIDTH, 3), dtype=np.uint8)
    angle, tint = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.0, 3).astype(np.float32)
    for i, frame in enumerate(frames):
        waves = 90 + 50 * np.sin((x * np.cos(angle) + y * np.sin(angle)) / 20 + i / 5)
        disc = (x - 4 * i) ** 2 + (y - HEIGHT / 2) ** 2 < 40**2
        noise = rng.integers(-6, 7, (HEIGHT, WIDTH))
        frame[:] = np.clip((waves + 90 * disc + noise)[..., None] * tint, 0, 255)
    return frames


def _write(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write H.264 in mp4, as trml.sources.formats.video_writer does but at this frame rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"}
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
