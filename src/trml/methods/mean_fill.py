"""Mean fill with modality dropout: a missing modality is its mean over the complete training utterances.

As in imputation, the mean is of input features and goes through the tower like any other input. A mean of hidden
vectors would move while the towers are trained; the mean of features stays.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from trml.base.fields import Count, Share
from trml.methods.contract import Labelled, Shape, Signal, visible
from trml.methods.modality_dropout import ModalityDropout


class MeanFill(ModalityDropout):
    """The mean step of a modality, at every step, in place of a missing one; zeros if no utterance is complete."""

    def __init__(self, shape: Shape, *, hidden: Count, drop: Share) -> None:
        super().__init__(shape, hidden=hidden, drop=drop)
        self.steps = {name: steps for name, (steps, _) in shape.signals.items()}
        for name, (_, d) in shape.signals.items():
            self.register_buffer(f"mean_{name}", torch.zeros(d))

    def mean(self, name: str) -> Tensor:
        """Return the mean step [d] of a modality over the complete training utterances."""
        return self.get_buffer(f"mean_{name}")

    def prepare(self, complete: Labelled, seed: int) -> None:
        for name, signal in visible(complete).items():
            self.mean(name).copy_(signal.values.sum(dim=(0, 1)) / signal.mask.sum().clamp(min=1))

    def filled(self, name: str, signal: Signal) -> Tensor:
        more = self.steps[name] - signal.mask.shape[1]  # a batch may be shorter than a missing sequence's mean
        values, mask = pad(signal.values, (0, 0, 0, more)), pad(signal.mask, (0, more))
        present = signal.present.unsqueeze(-1)
        return self.towers[name](torch.where(present.unsqueeze(-1), values, self.mean(name)), mask | ~present)
