"""Optimal transport with entropic regularisation."""

import torch
from torch import Tensor

_FARTHEST = 60.0  # costs in units of the regularisation, at most: e^-60 and its inverse are well within 32 bits


def sinkhorn(cost: Tensor, mass: Tensor, other_mass: Tensor, regularisation: Tensor, iterations: int) -> Tensor:
    """Return the transport plan after some iterations of Sinkhorn's algorithm (Cuturi, NeurIPS 2013).

    The plan P minimises <P, cost> + regularisation sum P log P. An iteration scales columns, then rows, as POT's does:
    rows have their sums exactly, columns once it has converged.

    A cost of more than 60 regularisations counts as 60. Next to a cheaper way its share of the mass is zero in both
    cases, and no scaling leaves the range of f32. So no logarithms are needed, which take ten times as long.

    Args:
        cost: [B, n, m], not negative.
        mass: Sums of the plan's rows [B, n], zero for positions that are masked.
        other_mass: Sums of its columns [B, m].
        regularisation: Scalar > 0.
        iterations: How many.

    Returns:
        [B, n, m].
    """
    kernel = (cost / -regularisation).clamp(min=-_FARTHEST).exp()
    rows = (mass > 0).to(cost.dtype)  # masked positions play no part from the start
    for _ in range(iterations):
        columns = other_mass / _never_zero(rows.unsqueeze(-2) @ kernel).squeeze(-2)
        rows = mass / _never_zero(kernel @ columns.unsqueeze(-1)).squeeze(-1)
    return rows.unsqueeze(-1) * kernel * columns.unsqueeze(-2)


def _never_zero(x: Tensor) -> Tensor:
    """Return sums as divisors: a sum of no mass only divides no mass."""
    return x.clamp(min=torch.finfo(x.dtype).tiny)
