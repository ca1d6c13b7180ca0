"""Supervised-Single, the lower bound: only the modalities that are never missing, on all training utterances.

With vision missing, TRML's virtual vision is a function of the text alone. What TRML gains over a method of the same
size that sees the text is therefore due to its training. `SupervisedSingleMatched` is that method.
"""

import torch
from torch import Tensor, nn

from trml.base.errors import ConfigError
from trml.base.fields import Count
from trml.methods.contract import AnyBatch, Labelled, Method, Shape, everyone, visible
from trml.methods.layers.fusion import Head
from trml.methods.layers.towers import towers
from trml.methods.layers.virtual import VirtualModalityNetwork
from trml.methods.losses.task import task_loss


class SupervisedSingle(Method):
    """One tower for each modality that the missing pattern never takes, and a head `2 hidden` wide.

    L = L_task on the utterances that have any of these modalities. One of them that the corpus itself lacks counts as
    zeros. With two modalities and one of them missing, it is the published form: a tower and a head.

    Raises:
        ConfigError: If the pattern may take every modality.
    """

    shaped_by_missing = True

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__()
        self.kept = kept(shape)
        self._build(shape, hidden, width=2 * hidden)

    def _build(self, shape: Shape, hidden: int, width: int) -> None:
        self.towers = towers({name: shape.signals[name] for name in self.kept}, hidden)
        self.head = Head(len(self.kept) * hidden, shape.outputs, width=width)

    def forward(self, batch: AnyBatch) -> Tensor:
        seen = visible(batch)
        vectors = [self.towers[name](seen[name].values, seen[name].mask) for name in self.kept]
        return self.head(torch.cat(vectors, dim=-1) if len(vectors) > 1 else vectors[0])

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        present = torch.stack([batch.signals[name].present for name in self.kept]).any(dim=0)
        return task_loss(self(batch.unlabelled), batch.label, everyone(batch) * present)


class SupervisedSingleMatched(SupervisedSingle):
    """Supervised-Single with its head widened until it has as many parameters as TRML's network, to half a unit."""

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__(shape, hidden=hidden)
        with torch.device("meta"):
            target = _size(VirtualModalityNetwork(shape.signals, shape.outputs, hidden=hidden, kind="residual_mlp"))
        a_unit = len(self.kept) * hidden + 1 + shape.outputs
        self._build(shape, hidden, width=max(1, round((target - _size(self.towers) - shape.outputs) / a_unit)))


def kept(shape: Shape) -> tuple[str, ...]:
    """Return the modalities that the missing pattern of a shape never takes: all without a pattern."""
    lost = frozenset().union(*shape.missing.lost) if shape.missing else frozenset()
    left = tuple(name for name in shape.modalities if name not in lost)
    if not left:
        pattern = shape.missing.name if shape.missing else ""
        raise ConfigError(
            f"Supervised-Single needs a modality that is never missing, but {pattern} may take each of "
            f"{', '.join(shape.modalities)}. Remove the method from `methods` or the pattern from `protocol.victims`"
        )
    return left


def _size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
