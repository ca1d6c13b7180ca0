"""MM-Align (Han, Chen, Kan, Poria; EMNLP 2022; arXiv 2210.12798): sequences aligned by optimal transport, and a net
that learns to align without the missing one.

Known from the paper: one-layer Transformers with a summary token, the plan and its window, an alignment net that fits
the plan within the window, imputation as A h, cross-modal fusion, warm-up, and alternation of complete and imputed
data. The rest is our reconstruction; docs/methods.md says what is whose.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import normalize

from trml.base.fields import Count, NotNegative, Positive
from trml.methods.contract import Batch, Method, Pass, Shape, Step, visible
from trml.methods.layers.alignment import AlignmentNet, band, from_band, in_band
from trml.methods.layers.fusion import Head
from trml.methods.layers.transformer import SequenceEncoder, TransformerLayer, masked_mean
from trml.methods.losses.task import task_loss
from trml.methods.losses.transport import sinkhorn

WARMUP = 2  # epochs

OUTSIDE = 100.0  # what a pair outside the window costs more


class States(NamedTuple):
    """A modality's sequence: states [B, 1 + n, hidden], the summary first, and bool [B, 1 + n] of which are there."""

    states: Tensor
    mask: Tensor

    @property
    def positions(self) -> "States":
        """Without the summary."""
        return States(self.states[:, 1:], self.mask[:, 1:])


class MMAlign(Method):
    """L = L_task + alignment sum_m MSE(A_m, P_m) on complete utterances, L_task on those with one modality imputed.

    P is the transport plan between the two sequences, cost 1 - cos and 100 more outside the window, rows scaled to one
    over the band; A, from the other modality alone, is fitted to it; h^_m = A_m h_other stands in for a missing m.
    `window`: half the band's width; `regularisation` and `iterations`: of Sinkhorn's algorithm.
    """

    tensors = ("alignment", "regularisation")
    needs_tokens = True

    def __init__(
        self,
        shape: Shape,
        *,
        hidden: Count,
        heads: Count,
        window: Count,
        iterations: Count,
        alignment: NotNegative,
        regularisation: Positive,
    ) -> None:
        super().__init__()
        # A single text vector is repeated to the length of the clip, a single frame to that of the text.
        tokens = shape.frames if shape.tokens == 1 else shape.tokens
        frames = shape.tokens if shape.frames == 1 else shape.frames
        self.text_encoder = SequenceEncoder(shape.text, tokens, hidden, heads, summary=True)
        self.vision_encoder = SequenceEncoder(shape.vision, frames, hidden, heads, summary=True)
        self.text_aligner, self.vision_aligner = AlignmentNet(hidden, window), AlignmentNet(hidden, window)
        self.text_decoder, self.vision_decoder = TransformerLayer(hidden, heads), TransformerLayer(hidden, heads)
        self.head = Head(2 * hidden, shape.outputs, width=2 * hidden)
        self.window, self.iterations = window, iterations

    @classmethod
    def passes(cls, epoch: int) -> tuple[Pass, ...]:
        complete = Pass("complete")
        return (complete,) if epoch < WARMUP else (complete, Pass("incomplete", (Step("loss_of_imputed"),)))

    def forward(self, batch: Batch) -> Tensor:
        text, vision = self._encode(batch)
        imputed_text = self._impute(self.text_aligner, vision, text)
        imputed_vision = self._impute(self.vision_aligner, text, vision)
        return self._fuse(
            _either(batch.text_present, text, imputed_text), _either(batch.vision_present, vision, imputed_vision)
        )

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        """Of complete utterances."""
        text, vision = self._encode(batch)
        complete = batch.text_present & batch.vision_present
        plan = self._plan(text.positions, vision.positions, options["regularisation"])
        of_vision = self._misfit(self.vision_aligner, text.positions, vision.positions, plan.mT, complete)
        of_text = self._misfit(self.text_aligner, vision.positions, text.positions, plan, complete)
        task = task_loss(self._fuse(text, vision), batch.label, complete.to(plan.dtype))
        return task + options["alignment"] * (of_vision + of_text)

    def loss_of_imputed(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        """Of utterances that lack a modality."""
        return task_loss(self(batch), batch.label, torch.ones_like(batch.text_present).to(batch.frames.dtype))

    def imagined(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """The means over positions of h^ and of h."""
        text, vision = self._encode(batch)
        imputed_text = self._impute(self.text_aligner, vision, text)
        imputed_vision = self._impute(self.vision_aligner, text, vision)
        return {
            "text": (masked_mean(*imputed_text.positions), masked_mean(*text.positions)),
            "vision": (masked_mean(*imputed_vision.positions), masked_mean(*vision.positions)),
        }

    def _encode(self, batch: Batch) -> tuple[States, States]:
        seen = visible(batch)
        text = self.text_encoder(seen.tokens, seen.token_mask)
        vision = self.vision_encoder(seen.frames, seen.frame_mask)
        return States(*text), States(*vision)

    @torch.no_grad()
    def _plan(self, text: States, vision: States, regularisation: Tensor) -> Tensor:
        """The transport plan [B, L, T] between the positions that are there, equally heavy in each sequence."""
        cost = 1 - normalize(text.states, dim=-1) @ normalize(vision.states, dim=-1).mT
        inside = self._band(text, vision).sum(dim=1) + self._band(vision, text).sum(dim=1).mT
        of_text, of_vision = (
            x.mask.to(cost.dtype) / x.mask.sum(dim=-1, keepdim=True).clamp(min=1) for x in (text, vision)
        )
        return sinkhorn(cost + OUTSIDE * (inside == 0), of_text, of_vision, regularisation, self.iterations)

    def _misfit(self, aligner: AlignmentNet, source: States, target: States, plan: Tensor, complete: Tensor) -> Tensor:
        """The mean squared error of the aligner's weights against the plan [B, m, n] from target to source, its rows
        scaled to one over the band; over entries of the band that are there, at the target's positions."""
        picks = self._band(target, source)
        weights, there = aligner(*source, picks)
        wanted = in_band(plan, picks) * there
        total = wanted.sum(dim=-1, keepdim=True)
        counts = there & (target.mask & complete.unsqueeze(-1)).unsqueeze(-1) & (total > 0)
        error = (weights - wanted / torch.where(total > 0, total, 1.0)).square()
        return (error * counts).sum() / counts.sum().clamp(min=1)

    def _impute(self, aligner: AlignmentNet, source: States, target: States) -> States:
        """h^ = A h of the source, as long as the target, which is not looked at. The source's summary stands for the
        target's; a position whose band leaves the source is not there."""
        picks = self._band(target.positions, source.positions)
        weights, there = aligner(*source.positions, picks)
        states = from_band(weights, picks) @ source.positions.states
        return States(
            torch.cat([source.states[:, :1], states], dim=1),
            torch.cat([source.mask[:, :1], there.any(dim=-1)], dim=1),
        )

    def _fuse(self, text: States, vision: States) -> Tensor:
        """Each modality's summary attends to the other's sequence. Nothing else of a decoder's output is read, so
        nothing else is computed."""
        of_text = self.text_decoder(text.states[:, :1], *vision)
        of_vision = self.vision_decoder(vision.states[:, :1], *text)
        return self.head(torch.cat([of_text, of_vision], dim=-1).squeeze(1))

    def _band(self, target: States, source: States) -> Tensor:
        return band(target.states.shape[1], source.states.shape[1], self.window, target.states)


def _either(present: Tensor, real: States, imputed: States) -> States:
    """The real sequence where the modality is present, the imputed one elsewhere."""
    here = present.unsqueeze(-1)
    return States(
        torch.where(here.unsqueeze(-1), real.states, imputed.states), torch.where(here, real.mask, imputed.mask)
    )
