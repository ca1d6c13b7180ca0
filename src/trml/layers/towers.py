"""The towers: from an encoder's features to the hidden space the two modalities share.

Inputs are first scaled to zero mean and unit variance within each feature vector, so encoders of any scale fit.
When the hidden size equals the feature size the linear maps start as the identity: the hidden space starts near
the encoder's own.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    if inputs == outputs:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer


class TextTower(nn.Module):
    """h_t = LayerNorm(W_t t)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.project = _linear(inputs, hidden)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, text: Tensor) -> Tensor:
        """[B, d_t] -> [B, hidden]."""
        return self.norm(self.project(layer_norm(text, (self.inputs,))))


class FrameTower(nn.Module):
    """h_v = LayerNorm(W_v mean(F) + GRU(F)): the last state over the frames that are there, beside their mean.

    The GRU (Cho et al. 2014, with PyTorch's placing of the reset gate) is written from linear layers, because
    nn.GRU has no batching rule under torch.vmap.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.inputs, self.hidden = inputs, hidden
        self.project = _linear(inputs, hidden)
        self.from_input = nn.Linear(inputs, 3 * hidden)
        self.from_state = nn.Linear(hidden, 3 * hidden)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """[B, T, d_v], bool [B, T] -> [B, hidden]. Frames outside the mask have no influence."""
        frames = layer_norm(frames, (self.inputs,))
        weight = mask.to(frames.dtype)
        mean = (frames * weight.unsqueeze(-1)).sum(dim=-2) / weight.sum(dim=-1, keepdim=True).clamp(min=1)
        return self.norm(self.project(mean) + self.last_state(frames, mask))

    def last_state(self, frames: Tensor, mask: Tensor) -> Tensor:
        """The GRU's state [B, hidden] after the last frame of the mask."""
        state = frames.new_zeros(()).expand(*frames.shape[:-2], self.hidden)
        # unbind, not indexing: the gradient of an index is a full array of zeros, once a frame.
        for x, there in zip(self.from_input(frames).unbind(dim=-2), mask.unbind(dim=-1), strict=True):
            x_reset, x_update, x_new = x.chunk(3, dim=-1)
            h_reset, h_update, h_new = self.from_state(state).chunk(3, dim=-1)
            update = torch.sigmoid(x_update + h_update)
            candidate = torch.tanh(x_new + torch.sigmoid(x_reset + h_reset) * h_new)
            state = torch.where(there.unsqueeze(-1), torch.lerp(candidate, state, update), state)
        return state
