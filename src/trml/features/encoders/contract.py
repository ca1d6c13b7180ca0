"""What encode.py asks of an encoder, whichever library it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor


@dataclass
class Sentences:
    """Sentences through a text model, f32 on the CPU: pooled features [B, d] and, where the model gives them, the
    tokens [B, L, d] behind them, with their mask [B, L]. L is the longest of the batch; padding is zero."""

    pooled: Tensor
    tokens: Tensor | None = None
    mask: Tensor | None = None


class Encoder(Protocol):
    """A text and a picture model."""

    @property
    def transform(self) -> Callable[[Image.Image], Tensor]:
        """Maps an RGB picture to [3, H, W]."""

    def to(self, device: torch.device) -> None:
        """Move the weights."""

    def count_cut(self, texts: list[str]) -> list[int]:
        """How many tokens of each text lie behind the end of what the model reads."""

    def encode_sentences(self, texts: list[str], device: torch.device) -> Sentences:
        """Features of B sentences."""

    def encode_images(self, pixels: Tensor, device: torch.device) -> Tensor:
        """Features [B, d_v] f32 on the CPU, of pictures [B, 3, H, W]."""
