"""Layer normalisation that a stack of cells can differentiate twice."""

from torch import Tensor, nn
from torch.nn.functional import layer_norm


class LayerNorm(nn.LayerNorm):
    """torch's, with weight and bias applied apart.

    Under torch.vmap, with a weight for each cell, the gradient of a gradient through torch's own came out wrong by
    several per cent (torch 2.13): a loss with inner gradient steps would have trained on it in silence.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[..., hidden] -> [..., hidden]."""
        return layer_norm(x, self.normalized_shape, eps=self.eps) * self.weight + self.bias
