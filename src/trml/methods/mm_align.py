"""MM-Align (Han, Chen, Kan, Poria; EMNLP 2022; arXiv 2210.12798): alignment of sequences by optimal transport.

Known from the paper and its program: one-layer Transformers with a summary token, the plan and its window, an alignment
net that fits the plan within the window with an optimizer of its own, imputation as A h, fusion by decoder layers,
warm-up, and alternation of complete and imputed data. docs/methods.md lists the differences.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, pad

from trml.base.fields import Count, NotNegative, Positive
from trml.methods.contract import AnyBatch, Labelled, Method, Pass, Shape, Step, complete, everyone, visible
from trml.methods.layers.alignment import AlignmentNet, band, from_band, in_band
from trml.methods.layers.fusion import Head
from trml.methods.layers.transformer import SequenceEncoder, SummaryDecoder, masked_mean
from trml.methods.losses.task import task_loss
from trml.methods.losses.transport import sinkhorn

WARMUP = 2  # epochs
# What is fitted to plans, and what is trained on labels: neither moves the other, as in the published program.
ALIGNERS, MAIN = (("aligners.", 1.0),), (("encoders.", 1.0), ("decoders.", 1.0), ("head.", 1.0))
OUTSIDE = 100.0  # what a pair outside the window costs more


class States(NamedTuple):
    """A modality's sequence: states [B, 1 + n, hidden], the summary first, and a mask bool [B, 1 + n]."""

    states: Tensor
    mask: Tensor

    @property
    def positions(self) -> "States":
        """The sequence without its summary."""
        return States(self.states[:, 1:], self.mask[:, 1:])


class MMAlign(Method):
    """Two sequences aligned by optimal transport, and nets that learn to align without the missing one.

    L_task on complete utterances, and on those with one modality imputed; sum_m MSE(A_m, P_m) on complete utterances,
    after a warm-up, moves the alignment nets alone.

    P is the transport plan between the two sequences, cost 1 - cos and 100 more outside the window, rows scaled to one
    over the band. A_m is computed from the other modality alone and fitted to P. h^_m = A_m h_other stands in for a
    missing m. `window` is half the band's width; `regularisation` and `iterations` are of Sinkhorn's algorithm;
    `positions` is of `SequenceEncoder`, and without them the program is as published: it does not see the order of
    steps.

    It is defined for two modalities only: with more, the paper gives no rule for which one a missing modality is
    aligned to, nor how plans of several pairs are made to agree.
    """

    tensors = {"regularisation": Positive}
    modalities = 2
    views = "sequence"

    def __init__(
        self,
        shape: Shape,
        *,
        hidden: Count,
        heads: Count,
        window: Count,
        iterations: Count,
        positions: NotNegative,
    ) -> None:
        super().__init__()
        self.pair = shape.modalities
        repeated = _repeated(shape, window)
        self.lengths = {name: steps * repeated[name] for name, (steps, _) in shape.signals.items()}
        self.encoders = nn.ModuleDict(
            {
                name: SequenceEncoder(
                    d, steps, hidden, heads, positions=positions, summary=True, repeated=repeated[name]
                )
                for name, (steps, d) in shape.signals.items()
            }
        )
        self.aligners = nn.ModuleDict({name: AlignmentNet(hidden, window) for name in self.pair})
        self.decoders = nn.ModuleDict({name: SummaryDecoder(hidden, heads) for name in self.pair})
        self.head = Head(2 * hidden, shape.outputs, width=2 * hidden)
        self.window, self.iterations = window, iterations

    @classmethod
    def passes(cls, epoch: int, options: Mapping[str, Any]) -> tuple[Pass, ...]:
        task, imputed = Step("loss", MAIN), Step("loss_of_imputed", MAIN)
        if epoch < WARMUP:
            return (Pass("complete", (task,)),)
        return Pass("complete", (Step("loss_of_alignment", ALIGNERS), task)), Pass("incomplete", (imputed,))

    def forward(self, batch: AnyBatch) -> Tensor:
        real = self._encode(batch)
        imputed = {name: self._impute(name, real) for name in self.pair}
        return self._fuse({name: _where(batch.signals[name].present, real[name], imputed[name]) for name in self.pair})

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        """Return the task loss of complete utterances."""
        on_complete = everyone(batch) * complete(batch)
        return task_loss(self._fuse(self._encode(batch)), batch.label, on_complete)

    def loss_of_alignment(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        """Return the misfit of the alignment nets on complete utterances. No gradient reaches the encoders."""
        with torch.no_grad():
            real = self._encode(batch)
        plan, on_complete = self._plan(real, options["regularisation"]), complete(batch)
        first, second = self.pair
        return self._misfit(second, real, plan.mT, on_complete) + self._misfit(first, real, plan, on_complete)

    def loss_of_imputed(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        """Return the loss of utterances that lack a modality."""
        return task_loss(self(batch.unlabelled), batch.label, everyone(batch))

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the means over positions of h^ and of h."""
        real = self._encode(batch)
        imputed = {name: self._impute(name, real) for name in self.pair}
        return {name: (masked_mean(*imputed[name].positions), masked_mean(*real[name].positions)) for name in self.pair}

    def _encode(self, batch: AnyBatch) -> dict[str, States]:
        return {
            name: States(*self.encoders[name](signal.values, signal.mask)) for name, signal in visible(batch).items()
        }

    @torch.no_grad()
    def _plan(self, real: Mapping[str, States], regularisation: Tensor) -> Tensor:
        """Return the transport plan [B, n, m] between the positions in the masks, equally heavy in each sequence."""
        first, second = self.pair
        one, other = real[first].positions, real[second].positions
        cost = 1 - normalize(one.states, dim=-1) @ normalize(other.states, dim=-1).mT
        inside = self._band(first, real).sum(dim=1) + self._band(second, real).sum(dim=1).mT
        mass, other_mass = (x.mask.to(cost.dtype) / x.mask.sum(dim=-1, keepdim=True).clamp(min=1) for x in (one, other))
        return sinkhorn(cost + OUTSIDE * (inside == 0), mass, other_mass, regularisation, self.iterations)

    def _misfit(self, name: str, real: Mapping[str, States], plan: Tensor, complete: Tensor) -> Tensor:
        """Return the mean squared error of a modality's alignment weights against the plan.

        Args:
            name: The modality.
            real: Both sequences.
            plan: [B, n, m] from this one to the other. Its rows are scaled to one over the band.
            complete: bool [B], the rows that count.
        """
        picks = self._band(name, real)
        weights, there = self.aligners[name](*real[self._other(name)].positions, picks)
        wanted = in_band(plan, picks) * there
        total = wanted.sum(dim=-1, keepdim=True)
        counts = there & (real[name].positions.mask & complete.unsqueeze(-1)).unsqueeze(-1) & (total > 0)
        error = (weights - wanted / torch.where(total > 0, total, 1.0)).square()
        return (error * counts).sum() / counts.sum().clamp(min=1)

    def _impute(self, name: str, real: Mapping[str, States]) -> States:
        """Return h^ = A h of the other sequence, with every position that this one can have.

        The other's summary stands for this one's. A position whose band leaves the other sequence is masked.
        """
        source, picks = real[self._other(name)], self._band(name, real, self.lengths[name])
        weights, there = self.aligners[name](*source.positions, picks)
        states = from_band(weights, picks) @ source.positions.states
        return States(
            torch.cat([source.states[:, :1], states], dim=1),
            torch.cat([source.mask[:, :1], there.any(dim=-1)], dim=1),
        )

    def _fuse(self, sequences: Mapping[str, States]) -> Tensor:
        """Return outputs [B, outputs]: each modality's summary attends to its own sequence, then to the other's."""
        first, second = self.pair
        of_first = self.decoders[first](*sequences[first], *sequences[second])
        of_second = self.decoders[second](*sequences[second], *sequences[first])
        return self.head(torch.cat([of_first, of_second], dim=-1).squeeze(1))

    def _band(self, name: str, real: Mapping[str, States], targets: int | None = None) -> Tensor:
        """Return the band from a modality's first positions, by default those of the batch, to the other's.

        It is that of whole sequences, since what an utterance is aligned to may not depend on the length of its batch.
        """
        other, states = self._other(name), real[name].positions.states
        whole = band(self.lengths[name], self.lengths[other], self.window, states)
        return whole[: targets or states.shape[1], :, : real[other].positions.states.shape[1]]

    def _other(self, name: str) -> str:
        first, second = self.pair
        return second if name == first else first


def _repeated(shape: Shape, window: int) -> dict[str, int]:
    """Return how often each modality is repeated: one vector so often that the bands of its copies span the other."""
    longest = max(steps for steps, _ in shape.signals.values())
    needed = 1 - (1 - longest) // (2 * window + 1)
    return {name: 1 if steps > 1 else needed for name, (steps, _) in shape.signals.items()}


def _where(present: Tensor, real: States, imputed: States) -> States:
    """Return the real sequence where the modality is present, the imputed one, which is no shorter, elsewhere."""
    here, more = present.unsqueeze(-1), imputed.mask.shape[1] - real.mask.shape[1]
    states, mask = pad(real.states, (0, 0, 0, more)), pad(real.mask, (0, more))
    return States(torch.where(here.unsqueeze(-1), states, imputed.states), torch.where(here, mask, imputed.mask))
