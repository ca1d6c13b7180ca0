"""Pretrains the tiny CLIP on a corpus's text + image pairs, with open_clip's model class and loss.

The bar it has to pass is retrieval on held-out pairs: for each picture, is the nearest sentence one of the same
group (on pantomime: does it have the sign of the face)?
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from trml.config import TinyClipEncoder
from trml.corpora.contract import PAIRS_SCHEMA
from trml.corpora.video import read_frames
from trml.encoders.clip import Clip, new_tiny_clip
from trml.encoders.open_clip import open_clip
from trml.errors import ContractError, PretrainingFailed
from trml.progress import say, track
from trml.seeding import generator, stream_seed
from trml.store import write_json

_BETAS = (0.9, 0.98)


@dataclass
class Pairs:
    """Transformed pictures [N, 3, H, W], tokens [N, context] and the group [N] of each pair."""

    pixels: Tensor
    tokens: Tensor
    group: NDArray[np.int32]


def pretrain(config: TinyClipEncoder, corpus: Path, folder: Path, seed: int, device: torch.device) -> None:
    """Train on the corpus's `train` pairs; write model.safetensors and encoder.json into `folder`.

    Raises PretrainingFailed if retrieval on the `heldout` pairs stays under the configured bar.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "tiny clip init"))
        clip = new_tiny_clip(config)
    train, heldout = (load_pairs(corpus, split, clip) for split in ("train", "heldout"))
    losses = _fit(clip, config, train, seed, device)
    score, chance = retrieval(clip, heldout, device)
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


def load_pairs(corpus: Path, split: str, clip: Clip) -> Pairs:
    """The pairs of a split, through the model's own transform and tokenizer."""
    path = corpus / "pairs.parquet"
    if not path.is_file():
        raise ContractError(
            f"{corpus.name} offers no pairs.parquet; a tiny CLIP needs text + image pairs to learn from"
        )
    table = pl.read_parquet(path).match_to_schema(PAIRS_SCHEMA).filter(pl.col("split") == split)
    arrays: dict[str, NDArray[np.uint8]] = {}

    def picture(reference: str) -> Image.Image:
        name, _, row = reference.partition("#")
        if not row:
            return read_frames(corpus / name, 1)[0]
        if name not in arrays:
            arrays[name] = np.load(corpus / name, mmap_mode="r", allow_pickle=False)
        return Image.fromarray(arrays[name][int(row)])

    references = track(table["image"], table.height, f"{split} pairs read")
    pixels = torch.stack([clip.transform(picture(reference)) for reference in references])
    return Pairs(pixels, clip.tokenize(table["text"].to_list()), table["group"].to_numpy())


def _fit(clip: Clip, config: TinyClipEncoder, pairs: Pairs, seed: int, device: torch.device) -> list[float]:
    """Train in place; the mean loss of each epoch. AdamW, linear warm-up, then linear decay to zero."""
    options = config.pretraining
    n, batch = len(pairs.group), min(options.batch_size, len(pairs.group))
    model = clip.model.to(device).train()
    model.logit_scale.data.fill_(options.logit_scale)  # type: ignore[operator]
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.learning_rate, betas=_BETAS, fused=True)
    total = options.epochs * (n // batch)
    warmup = max(1, options.warmup_steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, max(0.0, (total - step) / max(1, total - warmup)))
    )
    loss_of = open_clip.ClipLoss()
    rng = generator(seed, "tiny clip order")
    losses = []
    for _ in track(range(options.epochs), options.epochs, f"pretraining {config.name}, epochs"):
        order = torch.from_numpy(rng.permutation(n)[: n // batch * batch].reshape(-1, batch))
        running = torch.zeros((), device=device)
        for rows in order:
            image, text, scale = model(pairs.pixels[rows].to(device), pairs.tokens[rows].to(device))[:3]
            loss = loss_of(image, text, scale)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            running += loss.detach()
        losses.append(float(running) / len(order))
    model.eval()
    return losses


def retrieval(clip: Clip, pairs: Pairs, device: torch.device) -> tuple[float, float]:
    """Share of pictures whose nearest sentence is of their group, and the share chance would give."""
    images = clip.encode_images(pairs.pixels, device)
    texts = clip.encode_ids(pairs.tokens, device)
    nearest = (images @ texts.T).argmax(dim=1).numpy()
    shares = np.unique(pairs.group, return_counts=True)[1] / len(pairs.group)
    return float((pairs.group[nearest] == pairs.group).mean()), float((shares**2).sum())
