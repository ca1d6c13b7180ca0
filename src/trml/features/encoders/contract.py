"""The contract of encoders: what encoding asks of them, whichever library they come from.

An encoder is a package of features/encoders: `config.py` with its configuration class, `encoder.py` with
`load(config, folder, device) -> Encoder`, and, if the workflow trains it, `pretrain.py` with
`pretrain(config, corpus, data, folder, seed, device)`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import torch
from PIL import Image
from torch import Tensor


class Sequences(NamedTuple):
    """Sequences of vectors: values f32 [B, T, d], zero where mask bool [B, T] is False. Both are on the CPU."""

    values: Tensor
    mask: Tensor


class Encoded(NamedTuple):
    """A batch of items of one modality.

    Attributes:
        pooled: The features of each item. A vision item is one frame, with one vector: T = 1.
        tokens: A second view of the same width d, token by token, if the model gives it.
    """

    pooled: Sequences
    tokens: Sequences | None = None


class Encoder(Protocol):
    """A model for each of its modalities, on one device."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that it encodes."""

    def transform(self, picture: Image.Image) -> Tensor:
        """Turn an RGB picture into the model's input [3, H, W]. Called from several threads."""

    def count_cut(self, texts: list[str]) -> list[int]:
        """Return how many tokens of each text exceed the model's limit."""

    def encode(self, modality: str, items: Sequence[Any]) -> Encoded:
        """Encode a batch: strings for `text`, transformed frames for `vision`."""


def vectors(values: Tensor, tokens: Sequences | None = None) -> Encoded:
    """Return vectors [B, d], one an item, as a batch."""
    return Encoded(Sequences(values[:, None], torch.ones(len(values), 1, dtype=torch.bool)), tokens)
