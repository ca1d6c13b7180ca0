"""The task loss: L1 for scores, cross-entropy for classes."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from trml.methods.contract import NO_CLASS


def task_loss(prediction: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean of the task loss over the labelled rows of a batch, zero if all weights are zero.

    Args:
        prediction: [B, 1] for regression, [B, K] logits for K > 1 classes.
        label: [B] f32, or int64 class numbers; NO_SCORE or NO_CLASS where it is hidden.
        weight: [B], not negative.
    """
    known = ~label.isnan() if label.is_floating_point() else label != NO_CLASS
    label, weight = torch.where(known, label, 0), weight * known
    if label.is_floating_point():
        losses = (prediction.squeeze(-1) - label).abs()
    else:
        losses = cross_entropy(prediction, label, reduction="none")
    return (losses * weight).sum() / weight.sum().clamp(min=1)
