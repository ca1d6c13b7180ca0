"""Optimal transport with entropic regularisation."""

import torch
from torch import Tensor

_FARTHEST = 60.0  # costs in units of the regularisation, at most: e^-60 and its inverse are well within 32 bits


def sinkhorn(cost: Tensor, mass: Tensor, other_mass: Tensor, regularisation: Tensor, iterations: int) -> Tensor:
    """The plan [B, n, m] that minimises <P, C> + regularisation sum P log P with these marginals, after so many
    iterations of Sinkhorn's algorithm (Cuturi, NeurIPS 2013).

    cost: [B, n, m], not negative; mass: [B, n] and other_mass: [B, m], sums of rows and of columns, zero where nothing
    lies; regularisation: scalar > 0. An iteration scales columns, then rows, as POT's does: rows have their sums
    exactly, columns once it has converged.

    A cost of more than 60 regularisations counts as 60: next to a cheaper way its share of the mass is nothing either
    way, and no scaling leaves the range of the numbers, so nothing need be done in logarithms, which take ten times as
    long.
    """
    kernel = (cost / -regularisation).clamp(min=-_FARTHEST).exp()
    rows = torch.ones_like(mass)
    for _ in range(iterations):
        columns = other_mass / _never_zero(rows.unsqueeze(-2) @ kernel).squeeze(-2)
        rows = mass / _never_zero(kernel @ columns.unsqueeze(-1)).squeeze(-1)
    return rows.unsqueeze(-1) * kernel * columns.unsqueeze(-2)


def _never_zero(x: Tensor) -> Tensor:
    """Sums of no mass are divisors of no mass."""
    return x.clamp(min=torch.finfo(x.dtype).tiny)
