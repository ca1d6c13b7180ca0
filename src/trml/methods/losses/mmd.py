"""Maximum mean discrepancy: how far two samples are from having one distribution."""

import torch
from torch import Tensor


def squared_mmd(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Return the biased estimate of MMD^2 (Gretton et al., JMLR 2012, eq. 5), which is never negative.

    sum_ij w_i w_j [k(x_i, x_j) + k(y_i, y_j) - 2 k(x_i, y_j)] / (sum_i w_i)^2, zero if all weights are zero, with
    k(a, b) = exp(-|a - b|^2 / 2 d). Between two draws of N(0, I), |a - b|^2 is 2 d on average.

    Args:
        x: [..., n, d].
        y: [..., n, d].
        weight: [..., n], 0 or 1, of row i of both.

    Returns:
        [...].
    """
    points = torch.cat([x, y], dim=-2)
    squares = points.square().sum(dim=-1)
    products = points @ points.transpose(-1, -2)
    distances = (squares.unsqueeze(-1) + squares.unsqueeze(-2) - 2 * products).clamp(min=0)
    kernel = torch.exp(-distances / (2 * x.shape[-1]))
    share = weight / weight.sum(dim=-1, keepdim=True).clamp(min=1)
    signed = torch.cat([share, -share], dim=-1).unsqueeze(-1)
    return (signed * (kernel @ signed)).sum(dim=(-1, -2))
