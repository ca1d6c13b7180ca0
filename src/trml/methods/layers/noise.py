"""Normal noise from a batch's uniform draws, and a layer that learns how much of it to add."""

import math

from torch import Tensor, erfinv, nn
from torch.nn.functional import softplus

_SMALL = -3.0  # softplus of it is about 0.05: the noise starts small


def standard_normal(uniform: Tensor) -> Tensor:
    """Turn numbers uniform in [0, 1) into finite ones from N(0, 1), by the inverse of its distribution function."""
    return math.sqrt(2) * erfinv(2 * uniform.clamp(min=2**-25) - 1)


class Gaussian(nn.Module):
    """A sample of N(m, s^2), with m and s > 0 from a linear map of the input; without noise it is m."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return m + s noise [B, outputs] for inputs [B, inputs] and standard normal numbers [B, outputs]."""
        mean, spread = self.layer(x).chunk(2, dim=-1)
        return mean + softplus(spread + _SMALL) * noise
