"""Zero fill with modality dropout: a missing modality is a zero vector, and training drops modalities on purpose.

Without dropout and trained on complete data it is Supervised-Double, the upper bound.
"""

import torch
from torch import Tensor

from trml.base.fields import Count, Share
from trml.methods.contract import Shape, Signal
from trml.methods.modality_dropout import ModalityDropout


class ZeroFill(ModalityDropout):
    """A zero hidden vector in place of a missing modality."""

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__(shape, hidden=hidden, drop=drop)

    def filled(self, name: str, signal: Signal) -> Tensor:
        return torch.where(signal.present.unsqueeze(-1), self.towers[name](signal.values, signal.mask), 0.0)
