"""Pretrain the tiny CLIP on a corpus's pairs of a text and a picture, with open_clip's model class and loss.

Its bar is retrieval on held-out pairs: the share of pictures whose nearest sentence belongs to the same group. On
pantomime the group is all that a sentence and a face both tell.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from trml.base.artifacts import write_json
from trml.base.errors import ContractError, PretrainingFailed
from trml.base.progress import say, track
from trml.features.encoders.common.clip import Clip
from trml.features.encoders.common.open_clip import open_clip
from trml.features.encoders.common.optimise import optimise
from trml.features.encoders.common.pairs import pair_table, pictures
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.encoders.tiny_clip.encoder import new_tiny_clip
from trml.seeding import generator, stream_seed


@dataclass
class Pairs:
    """Pairs as the model takes them: pictures [N, 3, H, W], token numbers [N, context], groups [N]."""

    pixels: Tensor
    tokens: Tensor
    group: NDArray[np.int32]


def pretrain(config: TinyClipEncoder, corpus: Path, data: Path, folder: Path, seed: int, device: torch.device) -> None:
    """Train on the corpus's `train` pairs, and write model.safetensors and encoder.json into `folder`.

    Raises:
        ContractError: If the corpus has no pairs.
        PretrainingFailed: If retrieval on the `heldout` pairs stays below the configured bar.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "tiny clip init"))
        clip = new_tiny_clip(config)
    train, heldout = (load_pairs(corpus, data, split, clip) for split in ("train", "heldout"))
    losses = _optimise(clip, config, train, seed, device)
    score, chance = retrieval(clip, heldout)
    bar = config.pretraining.retrieval_bar
    say(f"pretraining {config.name}: retrieval {score:.3f} on {len(heldout.group)} held-out pairs, chance {chance:.3f}")
    if bar is not None and score < bar:
        raise PretrainingFailed(
            f"encoder {config.name}: on {len(heldout.group)} held-out pairs the retrieved sentence is of the picture's "
            f"group in {score:.1%} (chance {chance:.1%}); the bar is {bar:.1%}. The loss went from {losses[0]:.2f} to "
            f"{losses[-1]:.2f}. Try more encoder.pretraining.epochs or warmup_steps, or another seed; "
            "encoder.pretraining.retrieval_bar=null lifts the bar"
        )
    save_file(
        {k: v.detach().cpu().contiguous() for k, v in clip.model.state_dict().items()},
        folder / "model.safetensors",
    )
    write_json(
        folder / "encoder.json",
        {
            "name": config.name,
            "retrieval": score,
            "chance": chance,
            "bar": bar,
            "heldout_pairs": len(heldout.group),
            "train_pairs": len(train.group),
            "loss_by_epoch": losses,
            "parameters": sum(p.numel() for p in clip.model.parameters()),
        },
    )


def load_pairs(corpus: Path, data: Path, split: str, clip: Clip) -> Pairs:
    """Return the pairs of a split, through the model's transform and tokenizer. Half pairs are left out.

    Raises:
        ContractError: If none is left.
    """
    table = pair_table(corpus, split).filter((pl.col("text") != "") & pl.col("image").is_not_null())
    read = track(pictures(corpus, data, table["image"]), table.height, f"{split} pairs read")
    rows, transformed = [], []
    for row, picture in read:
        rows.append(row)
        transformed.append(clip.transform(picture))
    if not rows:
        raise ContractError(
            f"corpus {corpus.name}: no {split} utterance has both a text and a readable picture, and an encoder of one "
            "space learns from such pairs. Use encoder=classical, encoder=tiny_separate, or one with weights"
        )
    table = table[rows]
    pixels = torch.stack(transformed)
    return Pairs(pixels, clip.tokenize(table["text"].to_list()), table["group"].to_numpy())


def _optimise(clip: Clip, config: TinyClipEncoder, pairs: Pairs, seed: int, device: torch.device) -> list[float]:
    """Train in place with CLIP's loss, and return the mean loss of each epoch."""
    model = clip.model.to(device).train()
    model.logit_scale.data.fill_(config.pretraining.logit_scale)  # type: ignore[operator]
    clip_loss = open_clip.ClipLoss()

    def loss_of(rows: Tensor) -> Tensor:
        image, text, scale = model(pairs.pixels[rows].to(device), pairs.tokens[rows].to(device))[:3]
        return clip_loss(image, text, scale)

    rng = generator(seed, "tiny clip order")
    losses = optimise(model.parameters(), loss_of, len(pairs.group), config.pretraining, rng, config.name)
    model.eval()
    return losses


def retrieval(clip: Clip, pairs: Pairs) -> tuple[float, float]:
    """Return the share of pictures whose nearest sentence is of their group, and the share at chance."""
    images = clip.encode_images(pairs.pixels)
    texts = clip.encode_ids(pairs.tokens)
    nearest = (images @ texts.T).argmax(dim=1).numpy()
    shares = np.unique(pairs.group, return_counts=True)[1] / len(pairs.group)
    return float((pairs.group[nearest] == pairs.group).mean()), float((shares**2).sum())
