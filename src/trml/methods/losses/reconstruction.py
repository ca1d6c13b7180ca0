"""The reconstruction loss: squared error of vectors that a method makes up or rebuilds."""

from torch import Tensor


def squared_error(made: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the squared error, a mean over features and a weighted mean over rows; zero if all weights are zero.

    Args:
        made: What the method makes up or rebuilds, [B, d], finite in every row.
        target: [B, d], finite in every row.
        weight: [B], not negative.
    """
    return ((made - target).square().mean(dim=-1) * weight).sum() / weight.sum().clamp(min=1)
