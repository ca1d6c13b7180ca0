"""Zero fill with modality dropout: a missing modality is a zero vector, and training drops some on purpose.

Without dropout and trained on complete data it is Supervised-Double, the upper bound.
"""

import torch
from torch import Tensor

from trml.config import Count, Share
from trml.layers.fusion import Head
from trml.layers.towers import FrameTower, TextTower
from trml.methods.base import Batch, Method, Shape, visible
from trml.objectives.task import task_loss


class ZeroFill(Method):
    """Two towers, zeros in place of what is missing, the same head as TRML's.

    drop: probability that a complete training utterance loses one modality, which one by a fair coin, never both.
    """

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__()
        self.text_tower = TextTower(shape.text, hidden)
        self.frame_tower = FrameTower(shape.vision, hidden)
        self.head = Head(2 * hidden, shape.outputs, width=2 * hidden)
        self.drop = drop

    def forward(self, batch: Batch) -> Tensor:
        seen = visible(batch)
        text = torch.where(batch.text_present.unsqueeze(-1), self.text_tower(seen.text), 0.0)
        vision = self.frame_tower(seen.frames, seen.frame_mask)
        vision = torch.where(batch.vision_present.unsqueeze(-1), vision, 0.0)
        return self.head(torch.cat([text, vision], dim=-1))

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        everyone = torch.ones_like(batch.text_present).to(batch.text.dtype)
        return task_loss(self(self._dropped(batch)), batch.label, everyone)

    def _dropped(self, batch: Batch) -> Batch:
        complete = batch.text_present & batch.vision_present
        drop = complete & (batch.draws[..., 0] < self.drop)
        coin = batch.draws[..., 1] < 0.5
        return batch._replace(
            text_present=batch.text_present & ~(drop & coin),
            vision_present=batch.vision_present & ~(drop & ~coin),
        )
