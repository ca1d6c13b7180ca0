"""Semantic-matching losses: they pull a virtual vector to its real partner and away from the others'.

TRML's paper was not at hand, so which of them it uses is unknown. The symmetric one is the default. All take virtual
and real vectors [B, hidden], valid rows bool [B] and a temperature > 0, and return zero if no row is valid.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from trml.methods.losses.reconstruction import squared_error

MatchingKind = Literal["symmetric", "one_direction", "similarity_kl", "cosine", "regression"]


def semantic_matching(virtual: Tensor, real: Tensor, valid: Tensor, temperature: Tensor) -> Tensor:
    """Return symmetric InfoNCE within the batch over the valid rows.

    s_ij = z(virtual_i) . z(real_j) / temperature,
    l = -1/2 mean_i [log softmax_j(s_ij)_i + log softmax_j(s_ji)_i], i and j over the valid rows.

    It equals open_clip's ClipLoss with logit scale 1 / temperature if every row is valid.

    Args:
        virtual: [B, hidden].
        real: [B, hidden], their partners.
        valid: bool [B], the rows that count.
        temperature: Scalar > 0.
    """
    scores = _similarities(virtual, real, temperature)
    excluded = _excluded(valid)
    forward = _own_log_softmax(scores.masked_fill(excluded, -torch.inf))
    backward = _own_log_softmax(scores.transpose(-1, -2).masked_fill(excluded, -torch.inf))
    return _mean_of_valid(-(forward + backward) / 2, valid)


def one_direction(virtual: Tensor, real: Tensor, valid: Tensor, temperature: Tensor) -> Tensor:
    """Return InfoNCE from virtual to real alone, the first of the two terms of `semantic_matching`."""
    scores = _similarities(virtual, real, temperature).masked_fill(_excluded(valid), -torch.inf)
    return _mean_of_valid(-_own_log_softmax(scores), valid)


def similarity_kl(virtual: Tensor, real: Tensor, valid: Tensor, temperature: Tensor) -> Tensor:
    """Return the KL divergence between the rows of the two intra-modal similarity matrices.

    mean_i KL(softmax_j(z(real_i) . z(real_j) / temperature) || the same of virtual), i and j over the valid rows.
    """
    excluded = _excluded(valid)
    of_real, of_virtual = (
        _similarities(x, x, temperature).masked_fill(excluded, -torch.inf).log_softmax(dim=-1) for x in (real, virtual)
    )
    difference = torch.where(excluded, 0.0, of_real - of_virtual)  # where excluded, of -inf and -inf
    return _mean_of_valid((of_real.exp() * difference).sum(dim=-1), valid)


def cosine(virtual: Tensor, real: Tensor, valid: Tensor, temperature: Tensor) -> Tensor:
    """Return the mean of 1 - cos(virtual_i, real_i), without negatives; the temperature plays no part."""
    return _mean_of_valid(1 - cosine_similarity(virtual, real, dim=-1), valid)


def regression(virtual: Tensor, real: Tensor, valid: Tensor, temperature: Tensor) -> Tensor:
    """Return the squared error of virtual_i as a guess of real_i, mean over features and rows.

    Its optimum is the conditional mean of the real vector, which that of the contrastive forms is not. The gradient
    stops at the real side, which could otherwise shrink to be guessed. The temperature plays no part.
    """
    return squared_error(virtual, real.detach(), valid.to(virtual.dtype))


MATCHING: dict[MatchingKind, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "symmetric": semantic_matching,
    "one_direction": one_direction,
    "similarity_kl": similarity_kl,
    "cosine": cosine,
    "regression": regression,
}


def _similarities(a: Tensor, b: Tensor, temperature: Tensor) -> Tensor:
    return normalize(a, dim=-1) @ normalize(b, dim=-1).transpose(-1, -2) / temperature


def _excluded(valid: Tensor) -> Tensor:
    """Return which pairs [B, B] take no part.

    A row keeps itself even if it is not valid, so that no softmax is over nothing.
    """
    own = torch.eye(valid.shape[-1], dtype=torch.bool, device=valid.device)
    return ~(valid.unsqueeze(-2) | own)


def _mean_of_valid(losses: Tensor, valid: Tensor) -> Tensor:
    weight = valid.to(losses.dtype)
    return (losses * weight).sum(dim=-1) / weight.sum(dim=-1).clamp(min=1)


def _own_log_softmax(scores: Tensor) -> Tensor:
    """Return the log softmax over the last dimension at the row's own place: [B, B] -> [B]."""
    return scores.log_softmax(dim=-1).diagonal(dim1=-2, dim2=-1)
