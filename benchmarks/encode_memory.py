"""The memory of encoding over the size of the corpus.

2,000 and 20,000 utterances with a clip each (of 64 different files, 64 x 64 pixels, 8 frames) go through a tiny CLIP
whose features and tokens have 512 numbers each, as CLIP's have.

Each size is encoded in one shard and gathered in a fresh process; its peak is the most that was resident, mapped pages
of files included. 20,000 utterances leave some 1.5 GB of features. The bound is the growth.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import child
from benchmarks.row import Row
from benchmarks.synthetic_encoder import write_tiny_clip
from trml.base.progress import say
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.sources.formats.video_writer import write_video

UTTERANCES, FILES, WIDTH = (2_000, 20_000), 64, 512


def measure(quick: bool) -> Iterator[Row]:
    """Each number of utterances, and how much more the last takes than the first."""
    peaks = {}
    for n in (300, 600) if quick else UTTERANCES:
        say(f"  {n:,} utterances")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            config = write_tiny_clip(folder / "encoder", WIDTH)
            (folder / "config.json").write_text(json.dumps(asdict(config)))
            _corpus(folder / "corpus", n)
            ended = child.python("-m", "benchmarks.one_encoding", str(folder))
        peaks[n] = ended.peak_mib
        yield Row(f"{n:,} utterances", "peak", ended.peak_mib, "MiB")
        yield Row(f"{n:,} utterances", "time", ended.wall_s, "s")
    low, high = peaks
    yield Row(f"growth from {low:,} to {high:,}", "peak", peaks[high] - peaks[low], "MiB")


def _corpus(folder: Path, n: int) -> None:
    (folder / "media").mkdir(parents=True)
    for i in range(FILES):
        write_video(folder / f"media/{i}.mp4", np.random.default_rng(i).integers(0, 256, (8, 64, 64, 3), np.uint8))
    ids = [f"u{i}" for i in range(n)]
    table = {
        "utterance_id": ids,
        "video_id": ids,
        "split": ["train"] * (n - 20) + ["valid"] * 10 + ["test"] * 10,
        "text": [f"what is said in {i}, " + "and more " * (i % 12) for i in range(n)],
        "clip": [f"media/{i % FILES}.mp4" for i in range(n)],
        "start_s": [0.0] * n,
        "end_s": [1.0] * n,
        "label": [0.0] * n,
    }
    write_corpus(
        folder,
        CorpusInfo("synthetic", "synthetic", "regression", [], "", "", "files", [], "synthetic"),
        pl.DataFrame(table),
    )
