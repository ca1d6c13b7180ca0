"""The reconstruction loss: squared error of vectors that a method makes up or rebuilds."""

from torch import Tensor


def squared_error(found: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean over features, weighted mean over rows, zero if all weights are zero.

    found, target: [B, d], finite in every row; weight: [B], not negative -> scalar.
    """
    return ((found - target).square().mean(dim=-1) * weight).sum() / weight.sum().clamp(min=1)
