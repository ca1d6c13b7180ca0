"""Trains a small BERT and a small ViT apart: one on the sentences of a corpus's pretraining pairs, one on the pictures.

The BERT predicts masked words. The ViT rebuilds the whole picture from its class token alone: predicting masked
patches, as in SimMIM, left the expression of a face out of what a linear probe could read, and so did contrasting two
views of a picture. Neither sees a label, nor what the other sees.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import fold, unfold

from trml.config import TinySeparateEncoder
from trml.corpora.contract import PAIRS_SCHEMA
from trml.encoders.separate import TEXT, VISION, VOCABULARY, small_picture, words_of
from trml.errors import ContractError
from trml.progress import say, track
from trml.seeding import generator, stream_seed
from trml.store import write_json

_BATCH, _WARMUP_STEPS, _BETAS = 32, 60, (0.9, 0.98)
_MASKED = 0.15  # share of words that are to be predicted, as BERT has it
_SPECIAL = ("[PAD]", "[UNK]", "[MASK]")
_NORM_PATCH = 8  # pixels: what is rebuilt is a picture with each such patch at zero mean and unit variance


def pretrain_separate(config: TinySeparateEncoder, corpus: Path, folder: Path, seed: int, device: torch.device) -> None:
    """Train on the corpus's `train` pairs; write text/, vision/, vocabulary.json and encoder.json into `folder`."""
    texts, pixels = _load(corpus, config.image_size)
    losses = {
        TEXT: _train_text(config, texts, folder, seed, device),
        VISION: _train_vision(config, pixels, folder, seed, device),
    }
    for part, loss in losses.items():
        say(f"pretraining {config.name}, {part}: loss {loss[0]:.3f} in the first epoch, {loss[-1]:.3f} in the last")
    how = (
        "a BERT by masked words and a ViT by rebuilding pictures from its class token, trained apart by the workflow "
        f"on {len(texts)} sentences and pictures"
    )
    write_json(folder / "encoder.json", {"name": config.name, "how": how, "loss_by_epoch": losses})


def _load(corpus: Path, size: int) -> tuple[list[str], Tensor]:
    """The sentences, and the pictures [N, 3, size, size]."""
    table = pl.read_parquet(corpus / "pairs.parquet")
    if dict(table.schema) != PAIRS_SCHEMA:
        raise ContractError(
            f"corpus {corpus.name}: pairs.parquet has columns {dict(table.schema)}; expected {PAIRS_SCHEMA}"
        )
    table = table.filter(pl.col("split") == "train")
    pictures, transform = np.load(corpus / "pairs.npy", mmap_mode="r", allow_pickle=False), small_picture(size)
    rows = (int(name.partition("#")[2]) for name in table["image"])
    return table["text"].to_list(), torch.stack([transform(Image.fromarray(pictures[row])) for row in rows])


def _train_text(
    config: TinySeparateEncoder, texts: list[str], folder: Path, seed: int, device: torch.device
) -> list[float]:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=list(_SPECIAL), show_progress=False))
    tokenizer.enable_padding(pad_token=_SPECIAL[0])
    tokenizer.enable_truncation(max_length=128)
    tokenizer.save(str(folder / VOCABULARY))
    ids, mask = words_of(tokenizer)(texts)
    sizes = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=4 * config.width,
        max_position_embeddings=128,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = _fresh(lambda: BertForMaskedLM(sizes), seed, "text").to(device)
    draws = generator(seed, "masked words")

    def loss(rows: Tensor) -> Tensor:
        words, there = ids[rows], mask[rows]
        hidden = torch.from_numpy(draws.random(words.shape) < _MASKED) & there.bool()
        hidden[:, 0] |= ~hidden.any(dim=1)  # one word at least
        masked = words.masked_fill(hidden, _SPECIAL.index("[MASK]"))
        sought = words.masked_fill(~hidden, -100)
        inputs = (x.to(device) for x in (masked, there, sought))
        return model(**dict(zip(("input_ids", "attention_mask", "labels"), inputs, strict=True))).loss

    losses = _fit(model, loss, len(texts), config.text_epochs, config.learning_rate, seed, "text")
    model.get_submodule("bert").save_pretrained(folder / TEXT)  # type: ignore[operator]
    return losses


def _train_vision(
    config: TinySeparateEncoder, pixels: Tensor, folder: Path, seed: int, device: torch.device
) -> list[float]:
    from transformers import ViTConfig, ViTModel

    sizes = ViTConfig(
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=4 * config.width,
        image_size=config.image_size,
        patch_size=config.patch_size,
    )

    def new() -> nn.ModuleDict:
        decoder = nn.Linear(config.width, pixels[0].numel())
        return nn.ModuleDict({"vit": ViTModel(sizes, add_pooling_layer=False), "decoder": decoder})

    model = _fresh(new, seed, "vision").to(device)
    vit, decoder = (model.get_submodule(name) for name in ("vit", "decoder"))
    sought = _normalised(pixels)

    def loss(rows: Tensor) -> Tensor:
        code = vit(pixel_values=pixels[rows].to(device)).last_hidden_state[:, 0]
        return (decoder(code) - sought[rows].to(device).flatten(1)).square().mean()

    losses = _fit(model, loss, len(pixels), config.vision_epochs, config.learning_rate, seed, "vision")
    vit.save_pretrained(folder / VISION)  # type: ignore[operator]
    return losses


def _normalised(pixels: Tensor) -> Tensor:
    """Pictures [N, 3, H, W] with each patch at zero mean and unit variance, so that the small changes of a mouth weigh
    as much as the colour of a background."""
    patches = unfold(pixels, _NORM_PATCH, stride=_NORM_PATCH).unflatten(1, (3, -1))
    centred = patches - patches.mean(dim=2, keepdim=True)
    scaled = centred / (centred.square().mean(dim=(1, 2), keepdim=True).sqrt() + 0.05)
    return fold(scaled.flatten(1, 2), pixels.shape[-2:], _NORM_PATCH, stride=_NORM_PATCH)


def _fresh(new: Callable[[], nn.Module], seed: int, part: str) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "separate init", part))
        return new().train()


def _fit(
    model: nn.Module, loss: Callable[[Tensor], Tensor], n: int, epochs: int, rate: float, seed: int, part: str
) -> list[float]:
    """Train and return the mean loss of each epoch. Linear warm-up, then linear decay."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=_BETAS)
    steps = math.ceil(n / _BATCH)
    total, done, losses = epochs * steps, 0, []
    for epoch in track(range(epochs), epochs, f"pretraining {part}, epochs"):
        order = torch.from_numpy(generator(seed, "separate batch order", part, epoch).permutation(n))
        mean = 0.0
        for rows in order.split(_BATCH):
            for group in optimizer.param_groups:
                group["lr"] = rate * min((done + 1) / _WARMUP_STEPS, (total - done) / max(1, total - _WARMUP_STEPS))
            value = loss(rows)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            mean, done = mean + value.item() / steps, done + 1
        losses.append(mean)
    return losses
