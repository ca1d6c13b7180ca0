"""Fusion: from hidden vectors to a prediction, and from several estimates of one vector to their mean."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from trml.methods.contract import Signal


class Head(nn.Module):
    """y = MLP(h), one hidden layer."""

    def __init__(self, inputs: int, outputs: int, *, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return outputs [B, outputs] of hidden vectors [B, inputs]."""
        return self.layers(hidden)


def others(target: str, modalities: Sequence[str]) -> list[str]:
    """Return the modalities that a target can be made up from: all but itself, in order."""
    return [name for name in modalities if name != target]


def mean_of_present(estimates: Mapping[str, Tensor], seen: Mapping[str, Signal]) -> Tensor:
    """Return the mean over present sources of what each of them estimates.

    Args:
        estimates: Source modality -> its estimate [B, d].
        seen: The signals, which tell whether a source is present.

    Returns:
        [B, d]. For rows without any of the sources it is the mean over all of them.
    """
    if len(estimates) == 1:
        return next(iter(estimates.values()))
    present = torch.stack([seen[source].present for source in estimates], dim=-1)
    stacked = torch.stack(list(estimates.values()), dim=-2)
    counted = (present | ~present.any(dim=-1, keepdim=True)).to(stacked.dtype)
    weights = counted / counted.sum(dim=-1, keepdim=True)
    return (weights.unsqueeze(-1) * stacked).sum(dim=-2)
