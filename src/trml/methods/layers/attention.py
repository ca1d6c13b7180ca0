"""Multi-head attention that many cells can run as one, with forward and backward written out.

With small heads, element-wise passes and slow memory orders take most of the time. Here the numbers of a head lie
position after position, which makes the products several times as fast. The mask is one more number of each key, so it
costs no pass over the weights. Of the scores, only the weights are kept.
"""

from typing import Any

import torch
from torch import Tensor
from torch.func import vjp
from torch.nn.functional import pad

_NEVER = -1e9  # added to a masked key's score
_FEWEST = 16  # keys; torch's softmax takes ten times as long per number if a row is shorter than a vector register


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, heads: int) -> Tensor:
    """Return softmax(Q K^T / sqrt(w)) V by heads of width w (Vaswani et al. 2017, eq. 1).

    Args:
        query: [B, n, heads w].
        key: [B, m, heads w].
        value: [B, m, heads w].
        mask: bool [B, m], the keys that count. If it is empty, the result is an arbitrary mean of values.
        heads: How many.

    Returns:
        [B, n, heads w].
    """
    return _Attention.apply(query, key, value, mask, heads)[0]


def attend_plain(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, heads: int) -> Tensor:
    """Compute `attend` in plain tensor operations, which second gradients are taken through."""
    query, key, value = (x.unflatten(-1, (heads, -1)).transpose(-2, -3) for x in (query, key, value))
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    weights = torch.softmax(scores.masked_fill(~mask[..., None, None, :], _NEVER), dim=-1)
    return (weights @ value).transpose(-2, -3).flatten(-2)


class _Attention(torch.autograd.Function):
    """The function `attend`, which also returns what its backward pass needs.

    That is the query [B heads, w + 1, n], key and value [B heads, w + 1, m] and [B heads, w, m], with m padded to at
    least 16, and the weights [B heads, n, m]. There are no parameters here, so a stack is a longer batch.
    """

    @staticmethod
    def forward(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, heads: int) -> tuple[Tensor, ...]:
        padding = max(0, _FEWEST - mask.shape[1])
        never = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, _NEVER)
        q = _by_head(query, heads, last=query.new_ones(()))
        k = _by_head(key, heads, padding, last=pad(never, (0, padding), value=_NEVER).unsqueeze(1))
        v = _by_head(value, heads, padding)
        q[:, :-1].mul_((query.shape[-1] // heads) ** -0.5)
        weights = torch.softmax(torch.bmm(q.transpose(1, 2), k), dim=-1)
        return _by_position(torch.bmm(v, weights.transpose(1, 2)), heads), q, k, v, weights

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)
        ctx.heads = inputs[-1]
        ctx.save_for_backward(*inputs[:-1], *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: Any) -> tuple[Tensor | None, ...]:
        if grad is None:
            return (None,) * 5
        query, key, value, mask, q, k, v, weights = ctx.saved_tensors
        heads, width, keys = ctx.heads, v.shape[1], mask.shape[1]
        if torch.is_grad_enabled():  # a gradient of this gradient may be wanted
            plain = vjp(lambda q, k, v: attend_plain(q, k, v, mask, heads), query, key, value)[1]
            return *plain(grad), None, None
        by_head = _by_head(grad, heads)
        of_weights = torch.bmm(by_head.transpose(1, 2), v)
        of_scores = torch.ops.aten._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_query = torch.bmm(k[:, :width], of_scores.transpose(1, 2)).mul_(width**-0.5)
        of_key, of_value = torch.bmm(q[:, :width], of_scores), torch.bmm(by_head, weights)
        of_key, of_value = of_key[..., :keys], of_value[..., :keys]
        return *(_by_position(x, heads) for x in (of_query, of_key, of_value)), None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
        """Run a stack as one longer batch: [V, B, ...] -> [V B, ...]."""
        *tensors, heads = arguments
        stacked = [
            x.movedim(dim, 0) if dim is not None else x.expand(info.batch_size, *x.shape)
            for x, dim in zip(tensors, in_dims, strict=False)
        ]
        attended, *rest = _Attention.apply(*(x.flatten(0, 1) for x in stacked), heads)
        return (attended.unflatten(0, (info.batch_size, -1)), *rest), (0, None, None, None, None)


def _by_head(x: Tensor, heads: int, padding: int = 0, last: Tensor | None = None) -> Tensor:
    """Return x [B, n, heads w] by heads, [B heads, w, n + padding], padded with zeros.

    `last`, [B, 1, n + padding] or a scalar, is one more number of each head; then w is w + 1.
    """
    b, n, width = x.shape[0], x.shape[1], x.shape[2] // heads
    heads_first = x.new_empty(b, heads, width + (last is not None), n + padding)
    heads_first[:, :, :width, :n] = x.view(b, n, heads, width).permute(0, 2, 3, 1)
    heads_first[:, :, :width, n:] = 0
    if last is not None:
        heads_first[:, :, width] = last
    return heads_first.flatten(0, 1)


def _by_position(x: Tensor, heads: int) -> Tensor:
    """Return x [B heads, w, n] by positions, [B, n, heads w], in that order in memory too.

    In any other order a linear layer in a stack takes each row of the batch for a matrix with its own copy of the
    weights.
    """
    return x.unflatten(0, (-1, heads)).permute(0, 3, 1, 2).flatten(2).contiguous()
