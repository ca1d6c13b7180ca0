"""Learned token with modality dropout: a missing modality is one learned hidden vector, the same for all utterances."""

import torch
from torch import Tensor, nn

from trml.base.fields import Count, Share
from trml.methods.contract import Shape, Signal
from trml.methods.modality_dropout import ModalityDropout


class LearnedToken(ModalityDropout):
    """One learned hidden vector a modality in place of a missing one. All start at zero, like zero fill."""

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__(shape, hidden=hidden, drop=drop)
        for name in shape.modalities:
            self.register_parameter(f"{name}_token", nn.Parameter(torch.zeros(hidden)))

    def filled(self, name: str, signal: Signal) -> Tensor:
        hidden = self.towers[name](signal.values, signal.mask)
        return torch.where(signal.present.unsqueeze(-1), hidden, getattr(self, f"{name}_token"))
