"""Normal noise from a batch's uniform draws, and a layer that adds as much of it as it learns to."""

import math

from torch import Tensor, erfinv, nn
from torch.nn.functional import softplus

_SMALL = -3.0  # softplus of it is about 0.05: the noise starts small


def standard_normal(uniform: Tensor) -> Tensor:
    """Numbers uniform in [0, 1) -> numbers from N(0, 1), by the inverse of its distribution function; all finite."""
    return math.sqrt(2) * erfinv(2 * uniform.clamp(min=2**-25) - 1)


class Gaussian(nn.Module):
    """A sample of N(m, s^2), m and s by linear maps of the input, s made positive; without noise it is m."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """[B, inputs], standard normal numbers [B, outputs] -> m + s noise, [B, outputs]."""
        mean, spread = self.layer(x).chunk(2, dim=-1)
        return mean + softplus(spread + _SMALL) * noise
