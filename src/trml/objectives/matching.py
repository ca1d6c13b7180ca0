"""The semantic-matching loss: a virtual modality is pulled to its real partner, away from the others'."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def semantic_matching(virtual: Tensor, real: Tensor, valid: Tensor, temperature: Tensor) -> Tensor:
    """Symmetric InfoNCE within the batch over the valid rows; zero where fewer than one is valid.

    s_ij = z(virtual_i) . z(real_j) / temperature,
    l = -1/2 mean_i [log softmax_j(s_ij)_i + log softmax_j(s_ji)_i], i and j over the valid rows.

    virtual, real: [B, hidden]; valid: bool [B]; temperature: scalar > 0. Equals open_clip's ClipLoss with
    logit scale 1 / temperature when every row is valid.
    """
    scores = normalize(virtual, dim=-1) @ normalize(real, dim=-1).transpose(-1, -2) / temperature
    # A row keeps its own partner even when it is not valid, so that no softmax is over nothing.
    own = torch.eye(scores.shape[-1], dtype=torch.bool, device=scores.device)
    excluded = ~(valid.unsqueeze(-2) | own)
    forward = _own_log_softmax(scores.masked_fill(excluded, -torch.inf))
    backward = _own_log_softmax(scores.transpose(-1, -2).masked_fill(excluded, -torch.inf))
    losses = -(forward + backward) / 2
    weight = valid.to(losses.dtype)
    return (losses * weight).sum(dim=-1) / weight.sum(dim=-1).clamp(min=1)


def _own_log_softmax(scores: Tensor) -> Tensor:
    """log softmax over the last dimension at the row's own place: [B, B] -> [B]."""
    return scores.log_softmax(dim=-1).diagonal(dim1=-2, dim2=-1)
