"""Mean fill with modality dropout: a missing modality is its mean over the complete training utterances.

The mean is one of input features, as imputation has it, and goes through the tower like any other input: of text
vectors, and of all frames that are there, repeated over the clip. The towers are trained and their output's mean would
move with them; the features' stays.
"""

import torch
from torch import Tensor

from trml.base.fields import Count, Share
from trml.methods.contract import Batch, Shape, visible
from trml.methods.modality_dropout import ModalityDropout


class MeanFill(ModalityDropout):
    """The mean text vector and the mean frame in place of what is missing; zeros if no utterance is complete."""

    mean_text: Tensor  # [d_t]
    mean_frame: Tensor  # [d_v]

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__(shape, hidden=hidden, drop=drop)
        self.register_buffer("mean_text", torch.zeros(shape.text))
        self.register_buffer("mean_frame", torch.zeros(shape.vision))

    def prepare(self, complete: Batch, seed: int) -> None:
        seen = visible(complete)
        self.mean_text.copy_(seen.text.sum(dim=0) / max(1, len(seen.text)))
        self.mean_frame.copy_(seen.frames.sum(dim=(0, 1)) / seen.frame_mask.sum().clamp(min=1))

    def filled(self, seen: Batch) -> tuple[Tensor, Tensor]:
        there = seen.vision_present.unsqueeze(-1)
        text = torch.where(seen.text_present.unsqueeze(-1), seen.text, self.mean_text)
        frames = torch.where(there.unsqueeze(-1), seen.frames, self.mean_frame)
        return self.text_tower(text), self.frame_tower(frames, seen.frame_mask | ~there)
