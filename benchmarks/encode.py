"""Frames a second from mp4 files to features.

They are encoded and gathered as the workflow does, with open_clip's ViT-B-32 (random weights, from a checkpoint file),
against the model alone on ready tensors and against decoding and preprocessing alone.

60 clips of 320 x 240 pixels, 3 s at 25 frames a second, 8 frames of each; batches of 32 frames; one torch thread.
Loading the model and encoding the sentences are taken out of the first: it is run on all clips and on the same corpus
with only 4 of them, and the frames that differ are divided by the time that differs. All are run in turn, in three
rounds, after one run unmeasured; rates are medians, ratios medians of those within a round. "over the model alone" is 1
where decoding is wholly hidden behind the model; "over both in turn" is 1 where nothing overlaps.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch

from benchmarks.encoded import encode
from benchmarks.row import Row
from benchmarks.synthetic import configuration
from benchmarks.synthetic_clips import few, write_clip_corpus
from benchmarks.timing import in_turn, ratio
from trml.base.progress import say
from trml.device import set_up
from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.open_clip.config import OpenClipEncoder
from trml.features.encoders.open_clip.encoder import load
from trml.sources.formats.video_reader import Clip, read_frames

CLIPS, FEW, ROUNDS = 60, 4, 3
FRAMES, BATCH = 8, 32


def measure(quick: bool) -> Iterator[Row]:
    """One encoder, one corpus."""
    device = set_up("cpu", 1)
    model, clips, rounds = ("ViT-S-32-alt", 8, 1) if quick else ("ViT-B-32", CLIPS, ROUNDS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        say(f"  making {clips} clips and the weights of {model}")
        corpus = write_clip_corpus(folder / "all", clips)
        some = few(corpus, folder / "few", FEW)
        config = _encoder(model, folder)
        yield from _compare(model, config, corpus, some, device, (clips - FEW) * FRAMES, rounds)


def _compare(
    model: str, config: OpenClipEncoder, corpus: Path, some: Path, device: torch.device, frames: int, rounds: int
) -> Iterator[Row]:
    clip = load(config, None, device)
    paths = sorted((corpus / "media").iterdir())[FEW:]
    pixels = torch.stack([clip.transform(picture) for path in paths for picture in read_frames(Clip(path), FRAMES)])

    def alone() -> None:
        for batch in pixels.split(BATCH):
            clip.encode_images(batch)

    def decoded() -> None:
        for path in paths:
            for picture in read_frames(Clip(path), FRAMES):
                clip.transform(picture)

    encode(config, some, None, device)
    actions = {
        "all clips": lambda: encode(config, corpus, None, device),
        "few clips": lambda: encode(config, some, None, device),
        "model alone": alone,
        "decoding and preprocessing alone": decoded,
    }
    taken = in_turn(actions, rounds)
    both = [whole - start for whole, start in zip(taken["all clips"], taken["few clips"], strict=True)]
    parts = {name: taken[name] for name in list(actions)[2:]}
    for name, times in {"encode": both, **parts}.items():
        yield Row(name, "frames a second", frames / median(times), "")
    yield Row("encode", "over the model alone", ratio(parts["model alone"], both), "times")
    serial = [sum(times) for times in zip(*parts.values(), strict=True)]
    yield Row("encode", "over both in turn", ratio(serial, both), "times")
    yield Row("encode", f"model, sentences and {FEW} clips", median(taken["few clips"]), "s")


def _encoder(model: str, folder: Path) -> OpenClipEncoder:
    """Return the configuration of the encoder, with a checkpoint of random weights."""
    path = folder / "weights.pt"
    torch.save(open_clip.create_model(model, precision="fp32").state_dict(), path)
    config = configuration(
        "encoder=open_clip",
        f"encoder.model={model}",
        "encoder.tag=null",
        f"encoder.checkpoint='{path}'",
        f"encoder.frames={FRAMES}",
        f"encoder.batch_size={BATCH}",
    ).encoder
    assert isinstance(config, OpenClipEncoder)
    return config
