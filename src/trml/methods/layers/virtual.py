"""The network of TRML: towers, generators that stand in for a missing modality, one head."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trml.methods.contract import Signal
from trml.methods.layers.fusion import Head, mean_of_present, others
from trml.methods.layers.generators import GeneratorKind, generator
from trml.methods.layers.towers import towers


class Encoded(NamedTuple):
    """The real and the virtual vectors of a batch, modality -> [B, hidden].

    A real vector means nothing if its modality is missing, a virtual one if all others are.
    """

    real: dict[str, Tensor]
    virtual: dict[str, Tensor]


class VirtualModalityNetwork(nn.Module):
    """Real vectors h_m by towers, virtual ones h^_m from the other modalities, and the prediction from one of each.

    h^_m is the mean of g_{m from k}(h_k) over the other modalities k that are present.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], outputs: int, *, hidden: int, kind: GeneratorKind) -> None:
        super().__init__()
        self.modalities = tuple(sizes)
        self.towers = towers(sizes, hidden)
        self.generators = nn.ModuleDict(
            {
                f"{target}_from_{source}": generator(kind, d, hidden)
                for source, (_, d) in sizes.items()
                for target in others(source, self.modalities)
            }
        )
        self.head = Head(len(sizes) * hidden, outputs, width=2 * hidden)

    def encode(self, seen: Mapping[str, Signal]) -> Encoded:
        """Return the real and the virtual vectors of signals as `visible` leaves them."""
        real = {name: self.towers[name](signal.values, signal.mask) for name, signal in seen.items()}
        return Encoded(real, {target: self._virtual(target, real, seen) for target in self.modalities})

    def predict(self, vectors: Mapping[str, Tensor]) -> Tensor:
        """Return outputs [B, outputs] from one vector [B, hidden] of each modality."""
        return self.head(torch.cat([vectors[name] for name in self.modalities], dim=-1))

    def _virtual(self, target: str, real: Mapping[str, Tensor], seen: Mapping[str, Signal]) -> Tensor:
        made = {
            source: self.generators[f"{target}_from_{source}"](real[source], seen[source].values, seen[source].mask)
            for source in others(target, self.modalities)
        }
        return mean_of_present(made, seen)
