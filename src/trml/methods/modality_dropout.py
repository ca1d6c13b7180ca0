"""Modality dropout: the shared part of methods that put something simple in place of a missing modality."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from trml.base.fields import Count, Share
from trml.methods.contract import AnyBatch, Batch, Draw, Labelled, Method, Shape, Signal, everyone, visible, without_one
from trml.methods.layers.fusion import Head
from trml.methods.layers.towers import towers
from trml.methods.losses.task import task_loss


class ModalityDropout(Method):
    """One tower a modality, a stand-in for what is missing, and the head of TRML. A subclass defines the stand-in.

    L = L_task on the utterance as given after dropout. `drop` is the probability that a complete training utterance
    loses one modality. Each is equally likely, and never more than one is lost.
    """

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__()
        self.towers = towers(shape.signals, hidden)
        self.head = Head(len(shape.signals) * hidden, shape.outputs, width=2 * hidden)
        self.drop = drop

    @classmethod
    def draws(cls, shape: Shape, options: Mapping[str, Any]) -> dict[str, Draw]:
        return {"drop": Draw(), "which": Draw()}

    def filled(self, name: str, signal: Signal) -> Tensor:
        """Return the hidden vectors [B, hidden] of a modality, with the stand-in where it is missing.

        Args:
            name: The modality.
            signal: Its signal, as `visible` leaves it.
        """
        raise NotImplementedError

    def forward(self, batch: AnyBatch) -> Tensor:
        vectors = [self.filled(name, signal) for name, signal in visible(batch).items()]
        return self.head(torch.cat(vectors, dim=-1))

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        drop, which = (batch.draws[name].squeeze(-1) for name in ("drop", "which"))
        dropped = without_one(batch, drop < self.drop, which)
        return task_loss(self(Batch(dropped, batch.draws)), batch.label, everyone(batch))
