"""Alignment of two sequences within a band: each position of one to a few positions of the other.

Products with a constant of zeros and ones read the band's entries from a full matrix, and write them into one. They are
exact, and faster for a stack than gathers, whose gradients are scattered one by one.
"""

import torch
from torch import Tensor, nn

from trml.methods.layers.recurrent import states_both_ways


def band(targets: int, sources: int, window: int, like: Tensor) -> Tensor:
    """Return the band [targets, 2 window + 1, sources] of zeros and ones, in the dtype and on the device of `like`.

    Entry (j, k, i) is 1 where k picks source position i for target position j, that is where
    i = round(j (sources - 1) / (targets - 1)) + k - window. Outside the source all entries are 0.
    """
    at = torch.arange(targets, device=like.device)
    centre = (2 * at * (sources - 1) + targets - 1) // max(1, 2 * (targets - 1))
    offset = torch.arange(-window, window + 1, device=like.device)
    source = torch.arange(sources, device=like.device)
    return (centre[:, None, None] + offset[:, None] == source).to(like.dtype)


def in_band(matrix: Tensor, picks: Tensor) -> Tensor:
    """Return the entries [B, targets, k] of a matrix [B, targets, sources] in the band, 0 outside the matrix."""
    return torch.einsum("bji,jki->bjk", matrix, picks)


def from_band(entries: Tensor, picks: Tensor) -> Tensor:
    """Return the matrix [B, targets, sources] with these entries [B, targets, k] in the band and zeros outside."""
    return torch.einsum("bjk,jki->bji", entries, picks)


class AlignmentNet(nn.Module):
    """A_j = softmax over the band of W [forward GRU; backward GRU] at the band's centre, from the source alone."""

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
        """Return alignment weights, and which of the band's entries lie in the source and its mask.

        Args:
            source: [B, n, hidden].
            mask: bool [B, n].
            picks: A band [m, k, n].

        Returns:
            Weights [B, m, k] and bool [B, m, k]. Weights sum to one over the True entries; without any, all are 0.
            Where the centre lies behind the last step in the mask, the True entries weigh the same.
        """
        states = states_both_ways(source, mask, self.w_input, self.b_input, self.w_state, self.b_state)
        ended = mask.flip(-1).cumsum(dim=-1).flip(-1) == 0  # padding, of which a batch may have more or less
        scores = picks[:, self.window] @ self.score(states).masked_fill(ended.unsqueeze(-1), 0.0)
        there = torch.einsum("bi,jki->bjk", mask.to(picks.dtype), picks) > 0
        return scores.masked_fill(~there, -1e9).softmax(dim=-1) * there, there
