"""Modality dropout: what the methods share that put something simple in place of a missing modality."""

import torch
from torch import Tensor

from trml.base.fields import Count, Share
from trml.methods.contract import Batch, Method, Shape, visible, without_one
from trml.methods.layers.fusion import Head
from trml.methods.layers.towers import FrameTower, TextTower
from trml.methods.losses.task import task_loss


class ModalityDropout(Method):
    """Two towers, a stand-in for what is missing, the same head as TRML's; a subclass says what stands in.

    drop: probability that a complete training utterance loses one modality, which one by a fair coin, never both.
    """

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__()
        self.text_tower = TextTower(shape.text, hidden)
        self.frame_tower = FrameTower(shape.vision, hidden)
        self.head = Head(2 * hidden, shape.outputs, width=2 * hidden)
        self.drop = drop

    def filled(self, seen: Batch) -> tuple[Tensor, Tensor]:
        """Text and vision [B, hidden] of a batch as `visible` leaves it, the stand-in where one is missing."""
        raise NotImplementedError

    def forward(self, batch: Batch) -> Tensor:
        return self.head(torch.cat(self.filled(visible(batch)), dim=-1))

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        everyone = torch.ones_like(batch.text_present).to(batch.text.dtype)
        dropped = without_one(batch, batch.draws[..., 0] < self.drop, batch.draws[..., 1] < 0.5)
        return task_loss(self(dropped), batch.label, everyone)
