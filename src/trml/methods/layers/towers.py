"""The towers: from an encoder's features to the hidden space that the modalities share.

If the hidden size equals the feature size, the linear maps start as the identity: the hidden space starts near the
encoder's own.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from trml.methods.layers.norm import LayerNorm
from trml.methods.layers.recurrent import last_state


def mean_step(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the steps in the mask, zero if it is empty.

    Args:
        values: [B, T, d], zero outside the mask, as `visible` leaves them.
        mask: bool [B, T].

    Returns:
        [B, d].
    """
    return values.sum(dim=-2) / mask.sum(dim=-1, keepdim=True).clamp(min=1)


class VectorTower(nn.Module):
    """The tower of a modality that is one vector x: h = LayerNorm(W x)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.project = _linear(inputs, hidden)
        self.norm = LayerNorm(hidden)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return hidden vectors [B, hidden] of values [B, 1, d]; the mask bool [B, 1] plays no part."""
        return self.norm(self.project(values.squeeze(-2)))


class SequenceTower(nn.Module):
    """The tower of a sequence X: h = LayerNorm(W mean(X) + GRU(X)).

    The mean and the GRU's last state are over the steps in the mask.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.project = _linear(inputs, hidden)
        self.from_input = nn.Linear(inputs, 3 * hidden)
        self.from_state = nn.Linear(hidden, 3 * hidden)
        self.norm = LayerNorm(hidden)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Return hidden vectors [B, hidden].

        Args:
            values: [B, T, d], zero outside the mask, as `visible` leaves them.
            mask: bool [B, T].
        """
        layers = (self.from_input.weight, self.from_input.bias, self.from_state.weight, self.from_state.bias)
        return self.norm(self.project(mean_step(values, mask)) + last_state(values, mask, *layers))


def towers(sizes: Mapping[str, tuple[int, int]], hidden: int) -> nn.ModuleDict:
    """Return the tower of each modality.

    Args:
        sizes: Modality -> (T, d). A modality with T = 1 gets a `VectorTower`, every other a `SequenceTower`.
        hidden: Size of the hidden vectors.
    """
    return nn.ModuleDict(
        {name: (VectorTower if steps == 1 else SequenceTower)(d, hidden) for name, (steps, d) in sizes.items()}
    )


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    if inputs == outputs:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer
