"""Utterances a second from parts of long videos.

4 videos of one minute (640 x 360, 25 frames a second, a key frame every 10 s at most), 30 utterances of two seconds in
each, 8 frames of each utterance, through a tiny CLIP whose model takes next to no time; one thread.

"every frame, for each part" decodes the whole video for each of its parts, as a reader without seeking does, and takes
the same frames; "every frame, once" decodes each video once and keeps what its parts need, which knows no more than the
list of parts. Both encode the same frames after that. In turn, in three rounds; ratios are medians of those within one.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import av
import numpy as np
import polars as pl
import torch

from benchmarks.row import Row
from benchmarks.synthetic_encoder import write_tiny_clip
from benchmarks.timing import in_turn, ratio
from trml.base.progress import say
from trml.corpora.contract import CorpusInfo, read_corpus, write_corpus
from trml.device import set_up
from trml.features.chunk import Reading, encode_chunk
from trml.features.encoders.common.clip import Clip
from trml.features.encoders.tiny_clip.encoder import load
from trml.sources.formats.media_fragment import with_part

VIDEOS, PARTS, PART_S, RATE, FRAMES = 4, 30, 2.0, 25, 8
WIDTH, HEIGHT = 640, 360


def measure(quick: bool) -> Iterator[Row]:
    """One encoder, one corpus, three ways."""
    device, videos, rounds = set_up("cpu", 1), 1 if quick else VIDEOS, 1 if quick else 3
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = replace(write_tiny_clip(folder / "encoder", 64), frames=FRAMES)
        clip = load(config, folder / "encoder", device)
        say(f"  making {videos} videos of a minute")
        corpus, paths = _corpus(folder / "corpus", videos)
        table, reading = read_corpus(corpus)[1], Reading.of(config, corpus, device)
        actions = {
            "encode": lambda: encode_chunk(clip, clip.modalities, table, reading),
            "every frame, for each part": lambda: _plainly(clip, paths, once=False),
            "every frame, once": lambda: _plainly(clip, paths, once=True),
        }
        taken = in_turn(actions, rounds)
    for name, times in taken.items():
        yield Row(name, "utterances a second", videos * PARTS / median(times), "")
    for name in list(actions)[1:]:
        yield Row("encode", f"over {name}", ratio(taken[name], taken["encode"]), "times")


def _plainly(clip: Clip, paths: list[Path], once: bool) -> None:
    """Decode all, take what is wanted, encode."""
    middles = [(part + (i + 0.5) / FRAMES) * PART_S for part in range(PARTS) for i in range(FRAMES)]
    for path in paths:
        groups = [middles] if once else [middles[i : i + FRAMES] for i in range(0, len(middles), FRAMES)]
        for wanted in groups:
            numbers = {int(second * RATE) for second in wanted}
            with av.open(str(path)) as container:
                container.streams.video[0].thread_type = "NONE"
                frames = [f.to_image() for i, f in enumerate(container.decode(video=0)) if i in numbers]
            clip.encode_images(torch.stack([clip.transform(frame) for frame in frames]))


def _corpus(folder: Path, videos: int) -> tuple[Path, list[Path]]:
    folder.mkdir()
    paths = [folder / f"{i}.mp4" for i in range(videos)]
    rows = []
    for i, path in enumerate(paths):
        _write(path, np.random.default_rng(i))
        for part in range(PARTS):
            start, end = part * PART_S, (part + 1) * PART_S
            split = "valid" if part == PARTS - 2 else "test" if part == PARTS - 1 else "train"
            rows.append(
                [f"{i}_{part}", str(i), split, f"part {part}", with_part(path.name, start, end), start, end, 0.0]
            )
    names = ["utterance_id", "video_id", "split", "text", "clip", "start_s", "end_s", "label"]
    info = CorpusInfo("synthetic", "synthetic", "regression", [], "", "", "files", [], "synthetic")
    write_corpus(folder, info, pl.DataFrame(rows, names, orient="row"))
    return folder, paths


def _write(path: Path, rng: np.random.Generator) -> None:
    """Write a minute of a bright disc that wanders before a noisy background, with a cut now and then."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast", "g": "250"}
        for i in range(int(PARTS * PART_S * RATE)):
            if i % 400 == 0:
                background = rng.integers(40, 120, (HEIGHT // 8, WIDTH // 8)).repeat(8, 0).repeat(8, 1)
            disc = (x - 2 * i % WIDTH) ** 2 + (y - HEIGHT / 2 - 60 * np.sin(i / 20)) ** 2 < 70**2
            grey = np.clip(background + 110 * disc + rng.integers(-4, 5, (HEIGHT, WIDTH)), 0, 255)
            picture = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
