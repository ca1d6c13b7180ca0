"""Optimal transport with entropic regularisation."""

import torch
from torch import Tensor

_NO_MASS = 1e-30  # stands for none, so that its logarithm is finite


def sinkhorn(cost: Tensor, mass: Tensor, other_mass: Tensor, regularisation: Tensor, iterations: int) -> Tensor:
    """The plan [B, n, m] that minimises <P, C> + regularisation sum P log P with these marginals, after so many
    iterations of Sinkhorn's algorithm (Cuturi, NeurIPS 2013).

    cost: [B, n, m]; mass: [B, n] and other_mass: [B, m], sums of rows and of columns, zero where nothing lies;
    regularisation: scalar > 0. Iterated are the logarithms of the scalings, so that no cost is too large. An iteration
    scales columns, then rows, as POT's does: rows have their sums exactly, columns once it has converged.
    """
    kernel = -cost / regularisation
    of_rows, of_columns = (x.clamp(min=_NO_MASS).log() for x in (mass, other_mass))
    rows, columns = torch.zeros_like(of_rows), torch.zeros_like(of_columns)
    for _ in range(iterations):
        columns = of_columns - torch.logsumexp(kernel + rows.unsqueeze(-1), dim=-2)
        rows = of_rows - torch.logsumexp(kernel + columns.unsqueeze(-2), dim=-1)
    return (kernel + rows.unsqueeze(-1) + columns.unsqueeze(-2)).exp()
