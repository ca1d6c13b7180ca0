"""Generators: a virtual modality's hidden vector from that of an available one.

Each takes the available modality's hidden vector [B, hidden] and its signal, values [B, T, d] and a mask bool [B, T],
and returns the virtual vector [B, hidden].
"""

from typing import Literal

import torch
from torch import Tensor, nn

from trml.methods.layers.norm import LayerNorm

GeneratorKind = Literal["residual_mlp", "linear", "identity", "prompt", "zeros"]

QUERIES = 4  # of the prompt generator


class ResidualMlp(nn.Module):
    """h + MLP(h)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden))

    def forward(self, hidden: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:
        return hidden + self.layers(hidden)


class Linear(nn.Linear):
    """W h + b."""

    def forward(self, hidden: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(hidden)


class Identity(nn.Module):
    """h itself, which relies on the encoder's alignment."""

    def forward(self, hidden: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:
        return hidden


class Prompt(nn.Module):
    """Learned queries that attend to the signal in one Transformer layer (post-norm, one head), and their mean."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(QUERIES, hidden))
        self.key, self.value = nn.Linear(inputs, hidden), nn.Linear(inputs, hidden)
        self.out = nn.Linear(hidden, hidden)
        self.mlp = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, hidden))
        self.norm_attention, self.norm_mlp = LayerNorm(hidden), LayerNorm(hidden)

    def forward(self, hidden: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:
        scores = self.queries @ self.key(sequence).transpose(-1, -2) / hidden.shape[-1] ** 0.5
        # Large, not infinite: an empty sequence is attended to evenly, and the caller masks the result.
        attention = scores.masked_fill(~mask.unsqueeze(-2), -1e9).softmax(dim=-1)
        attended = self.norm_attention(self.queries + self.out(attention @ self.value(sequence)))
        return self.norm_mlp(attended + self.mlp(attended)).mean(dim=-2)


class Zeros(nn.Module):
    """No virtual modality: a zero vector in its place."""

    def forward(self, hidden: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:
        return torch.zeros_like(hidden)


def generator(kind: GeneratorKind, inputs: int, hidden: int) -> nn.Module:
    """Return a generator of a kind; `inputs` is the size d of a step of its source."""
    if kind == "linear":
        return Linear(hidden, hidden)
    if kind in ("identity", "zeros"):
        return Identity() if kind == "identity" else Zeros()
    return Prompt(inputs, hidden) if kind == "prompt" else ResidualMlp(hidden)
