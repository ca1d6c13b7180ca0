"""Layer normalisation that a stack of cells can differentiate twice."""

from torch import Tensor, nn
from torch.nn.functional import layer_norm


class LayerNorm(nn.LayerNorm):
    """Layer normalisation with weight and bias applied separately.

    Under torch.vmap, with a weight for each cell, the second gradient of `torch.nn.LayerNorm` is wrong by several per
    cent (torch 2.13). A loss with inner gradient steps would train on it without an error.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x [..., hidden] normalised over its last dimension."""
        return layer_norm(x, self.normalized_shape, eps=self.eps) * self.weight + self.bias
