"""Learned token with modality dropout: a missing modality is one learned hidden vector, the same for all utterances."""

import torch
from torch import Tensor, nn

from trml.base.fields import Count, Share
from trml.methods.contract import Batch, Shape
from trml.methods.modality_dropout import ModalityDropout


class LearnedToken(ModalityDropout):
    """One learned vector a modality in place of what is missing; both start at zero, so as zero fill."""

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__(shape, hidden=hidden, drop=drop)
        self.text_token = nn.Parameter(torch.zeros(hidden))
        self.vision_token = nn.Parameter(torch.zeros(hidden))

    def filled(self, seen: Batch) -> tuple[Tensor, Tensor]:
        text = torch.where(seen.text_present.unsqueeze(-1), self.text_tower(seen.text), self.text_token)
        vision = self.frame_tower(seen.frames, seen.frame_mask)
        return text, torch.where(seen.vision_present.unsqueeze(-1), vision, self.vision_token)
