"""A Transformer layer and an encoder of sequences that run under torch.vmap."""

import torch
from torch import Tensor, nn

from trml.methods.layers.attention import attend
from trml.methods.layers.norm import LayerNorm


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017): W_o attend(W_q x, W_k y, W_v y).

    If `hidden` is no multiple of `heads`, the heads are rounded up. An empty memory gives the bias of W_o alone.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        inner = heads * -(-hidden // heads)
        self.heads = heads
        self.query = nn.Linear(hidden, inner)
        self.key, self.value = nn.Linear(hidden, inner), nn.Linear(hidden, inner)
        self.out = nn.Linear(inner, hidden)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """Return states [B, n, hidden].

        Args:
            x: The queries [B, n, hidden], or [1, n, hidden] if they are the same for all rows.
            memory: What they attend to, [B, m, hidden].
            mask: bool [B, m], the positions of the memory that count.
        """
        query = self.query(x).expand(len(memory), -1, -1)
        attended = attend(query, self.key(memory), self.value(memory), mask, self.heads)
        return self.out(attended * mask.any(-1)[:, None, None])


class TransformerLayer(nn.Module):
    """LayerNorm(z + W_2 relu(W_1 z)) with z = LayerNorm(x + Attention(x, memory)), W_1 to four times the width.

    With the sequence itself as memory it is an encoder layer; with another modality's it is the cross-modal layer of
    MulT (Tsai et al., ACL 2019). It has no dropout.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(hidden, heads)
        self.feed_forward = nn.Sequential(nn.Linear(hidden, 4 * hidden), nn.ReLU(), nn.Linear(4 * hidden, hidden))
        self.norms = nn.ModuleList([LayerNorm(hidden), LayerNorm(hidden)])

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """Return states [B, n, hidden]; the arguments are those of `Attention`."""
        x = self.norms[0](x + self.attention(x, memory, mask))
        return self.norms[1](x + self.feed_forward(x))


class SummaryDecoder(nn.Module):
    """The first position of a Transformer decoder layer: s = LayerNorm(x_0 + Attention(x_0, x)), then cross-modal.

    The layer attends to its own sequence first and to another modality's then. Where nothing but a summary is read of
    the result, no other position needs to be computed.
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.own = Attention(hidden, heads)
        self.norm = LayerNorm(hidden)
        self.other = TransformerLayer(hidden, heads)

    def forward(self, x: Tensor, mask: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Return states [B, 1, hidden].

        Args:
            x: The sequence [B, n, hidden], its summary first.
            mask: bool [B, n].
            memory: The other modality's sequence [B, m, hidden].
            memory_mask: bool [B, m].
        """
        first = x[:, :1]
        return self.other(self.norm(first + self.own(first, x, mask)), memory, memory_mask)


class SequenceEncoder(nn.Module):
    """One Transformer layer over x W + p, with learned positions p and, if `summary`, a learned token before them.

    There are positions for `steps` steps, and a batch may have fewer. `positions` is the standard deviation that p
    starts with; with 0 there is no p, and nothing sees the order of the steps. Where it is small beside the spread of
    x W, order is learned late or not at all. A modality that is one vector may be `repeated`, so many times.
    """

    def __init__(
        self,
        inputs: int,
        steps: int,
        hidden: int,
        heads: int,
        *,
        positions: float,
        summary: bool = False,
        repeated: int = 1,
    ) -> None:
        super().__init__()
        self.project, self.repeated = nn.Linear(inputs, hidden), repeated
        self.positions = nn.Parameter(positions * torch.randn(steps * repeated, hidden)) if positions else None
        self.summary = nn.Parameter(0.1 * torch.randn(1, 1, hidden)) if summary else None
        self.layer = TransformerLayer(hidden, heads)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return states [B, n, hidden] and their mask [B, n]; a summary comes first, [B, 1 + n, ...].

        Args:
            x: [B, n, inputs], finite outside the mask too.
            mask: bool [B, n].
        """
        x = self.project(x)
        if self.repeated > 1:
            x, mask = x.expand(-1, self.repeated, -1), mask.expand(-1, self.repeated)
        if self.positions is not None:
            x = x + self.positions[: x.shape[1]]
        if self.summary is not None:
            x = torch.cat([self.summary.expand(len(x), 1, -1), x], dim=1)
            mask = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
        return self.layer(x, x, mask), mask


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Return the mean [B, d] of x [B, n, d] over the mask bool [B, n], zeros for an empty mask."""
    weight = mask.to(x.dtype)
    return (weight.unsqueeze(1) @ x).squeeze(1) / weight.sum(dim=1, keepdim=True).clamp(min=1)
