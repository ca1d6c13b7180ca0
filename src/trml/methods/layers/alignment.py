"""Alignment of two sequences within a band: each position of one to a few positions of the other.

Band entries are picked from a full matrix, and put into one, by products with a constant of zeros and ones: exact, and
faster for a stack than gathers, whose gradients are scattered one by one.
"""

import torch
from torch import Tensor, nn

from trml.methods.layers.recurrent import states_both_ways


def band(targets: int, sources: int, window: int, like: Tensor) -> Tensor:
    """The band [targets, 2 window + 1, sources] of zeros and ones: entry (j, k, i) is 1 where k picks source position i
    for target position j, i = round(j (sources - 1) / (targets - 1)) + k - window. Outside the source all are 0."""
    at = torch.arange(targets, device=like.device)
    centre = (2 * at * (sources - 1) + targets - 1) // max(1, 2 * (targets - 1))
    offset = torch.arange(-window, window + 1, device=like.device)
    source = torch.arange(sources, device=like.device)
    return (centre[:, None, None] + offset[:, None] == source).to(like.dtype)


def in_band(matrix: Tensor, picks: Tensor) -> Tensor:
    """The entries of a matrix [B, targets, sources] within the band, [B, targets, k]; 0 where the band leaves it."""
    return torch.einsum("bji,jki->bjk", matrix, picks)


def from_band(entries: Tensor, picks: Tensor) -> Tensor:
    """The matrix [B, targets, sources] that has these entries [B, targets, k] in the band and zeros outside."""
    return torch.einsum("bjk,jki->bji", entries, picks)


class AlignmentNet(nn.Module):
    """A_j = softmax over the band of W [GRU onward; GRU backward] at the band's centre, from the source alone."""

    def __init__(self, hidden: int, window: int) -> None:
        super().__init__()
        bound = hidden**-0.5  # as torch.nn.GRU starts

        def start(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(2, *shape).uniform_(-bound, bound))

        self.w_input, self.b_input = start(3 * hidden, hidden), start(3 * hidden)
        self.w_state, self.b_state = start(3 * hidden, hidden), start(3 * hidden)
        self.score = nn.Linear(2 * hidden, 2 * window + 1)
        self.window = window

    def forward(self, source: Tensor, mask: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        """Source [B, n, hidden], bool [B, n], a band [m, k, n] -> the weights [B, m, k], and bool [B, m, k] of which
        entries are in the source and its mask. Weights sum to one over those; where none is all are 0."""
        states = states_both_ways(source, mask, self.w_input, self.b_input, self.w_state, self.b_state)
        scores = picks[:, self.window] @ self.score(states)
        there = torch.einsum("bi,jki->bjk", mask.to(picks.dtype), picks) > 0
        return scores.masked_fill(~there, -1e9).softmax(dim=-1) * there, there
