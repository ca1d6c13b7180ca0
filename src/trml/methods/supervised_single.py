"""Supervised-Single, the lower bound: the modality that is never missing, alone, on all training utterances.

With vision missing, TRML's virtual vision is a function of the text alone; so what TRML gains over this method of
the same size is what its training brings, and `SupervisedSingleMatched` is that method.
"""

import torch
from torch import Tensor, nn

from trml.base.fields import Count
from trml.methods.contract import Batch, Method, Shape, visible
from trml.methods.layers.fusion import Head
from trml.methods.layers.towers import FrameTower, TextTower
from trml.methods.layers.virtual import VirtualModalityNetwork
from trml.methods.losses.task import task_loss


class SupervisedSingle(Method):
    """One tower and a head. The head is `2 hidden` wide."""

    shaped_by_victim = True

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__()
        self._build(shape, hidden, width=2 * hidden)

    def _build(self, shape: Shape, hidden: int, width: int) -> None:
        self.victim = shape.victim
        self.tower: nn.Module = (
            FrameTower(shape.vision, hidden) if shape.victim == "text" else TextTower(shape.text, hidden)
        )
        self.head = Head(hidden, shape.outputs, width=width)

    def forward(self, batch: Batch) -> Tensor:
        seen = visible(batch)
        hidden = self.tower(seen.frames, seen.frame_mask) if self.victim == "text" else self.tower(seen.text)
        return self.head(hidden)

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        present = batch.vision_present if self.victim == "text" else batch.text_present
        return task_loss(self(batch), batch.label, present.to(batch.text.dtype))


class SupervisedSingleMatched(SupervisedSingle):
    """The same with the head widened until it has as many parameters as TRML's network (to within half a unit)."""

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__(shape, hidden=hidden)
        with torch.device("meta"):
            target = _size(
                VirtualModalityNetwork(shape.text, shape.vision, shape.outputs, hidden=hidden, kind="residual_mlp")
            )
        a_unit = hidden + 1 + shape.outputs
        self._build(shape, hidden, width=max(1, round((target - _size(self.tower) - shape.outputs) / a_unit)))


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
