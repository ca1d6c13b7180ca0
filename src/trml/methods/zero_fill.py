"""Zero fill with modality dropout: a missing modality is a zero vector, and training drops some on purpose.

Without dropout and trained on complete data it is Supervised-Double, the upper bound.
"""

import torch
from torch import Tensor

from trml.base.fields import Count, Share
from trml.methods.contract import Batch, Shape
from trml.methods.modality_dropout import ModalityDropout


class ZeroFill(ModalityDropout):
    """A zero hidden vector in place of what is missing."""

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__(shape, hidden=hidden, drop=drop)

    def filled(self, seen: Batch) -> tuple[Tensor, Tensor]:
        text = torch.where(seen.text_present.unsqueeze(-1), self.text_tower(seen.text), 0.0)
        vision = self.frame_tower(seen.frames, seen.frame_mask)
        return text, torch.where(seen.vision_present.unsqueeze(-1), vision, 0.0)
