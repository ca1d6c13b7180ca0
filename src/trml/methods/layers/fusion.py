"""Fusion: from hidden vectors to a prediction."""

from torch import Tensor, nn


class Head(nn.Module):
    """y = MLP(h), one hidden layer."""

    def __init__(self, inputs: int, outputs: int, *, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, hidden: Tensor) -> Tensor:
        """[B, inputs] -> [B, outputs]."""
        return self.layers(hidden)
