"""The towers: from an encoder's features to the hidden space the two modalities share.

When the hidden size equals the feature size the linear maps start as the identity: the hidden space starts near
the encoder's own.
"""

from torch import Tensor, nn

from trml.methods.layers.norm import LayerNorm
from trml.methods.layers.recurrent import last_state


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    if inputs == outputs:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer


def mean_frame(frames: Tensor, mask: Tensor) -> Tensor:
    """[B, T, d], bool [B, T] -> [B, d], zero where no frame is there. Frames outside the mask must be zero."""
    return frames.sum(dim=-2) / mask.sum(dim=-1, keepdim=True).clamp(min=1)


class TextTower(nn.Module):
    """h_t = LayerNorm(W_t t)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.project = _linear(inputs, hidden)
        self.norm = LayerNorm(hidden)

    def forward(self, text: Tensor) -> Tensor:
        """[B, d_t] -> [B, hidden]."""
        return self.norm(self.project(text))


class FrameTower(nn.Module):
    """h_v = LayerNorm(W_v mean(F) + GRU(F)): the last state over the frames that are there, beside their mean."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.project = _linear(inputs, hidden)
        self.from_input = nn.Linear(inputs, 3 * hidden)
        self.from_state = nn.Linear(hidden, 3 * hidden)
        self.norm = LayerNorm(hidden)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """[B, T, d_v], bool [B, T] -> [B, hidden]. Frames outside the mask must be zero, as `visible` leaves them."""
        layers = (self.from_input.weight, self.from_input.bias, self.from_state.weight, self.from_state.bias)
        return self.norm(self.project(mean_frame(frames, mask)) + last_state(frames, mask, *layers))
