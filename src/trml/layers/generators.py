"""Generators: a virtual modality's hidden vector from the available one's."""

from typing import Literal

import torch
from torch import Tensor, nn

GeneratorKind = Literal["residual_mlp", "linear", "identity", "zeros"]


class ResidualMlp(nn.Module):
    """h + MLP(h), [B, hidden] -> [B, hidden]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.layers(hidden)


class Zeros(nn.Module):
    """No virtual modality: a zero vector in its place."""

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.zeros_like(hidden)


def generator(kind: GeneratorKind, hidden: int) -> nn.Module:
    """The generator of a kind; `identity` leaves everything to the encoder's own alignment."""
    if kind == "residual_mlp":
        return ResidualMlp(hidden)
    if kind == "linear":
        return nn.Linear(hidden, hidden)
    return nn.Identity() if kind == "identity" else Zeros()
