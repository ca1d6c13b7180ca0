"""Modal-Trans: a Transformer translates one modality's sequence into another's, and back.

After TransModality (Wang, Wan, Wan; WWW 2020) and MCTN (Pham et al., AAAI 2019), whose translation in both directions
it keeps. docs/methods.md lists the differences.
"""

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trml.base.fields import Count, NotNegative
from trml.methods.contract import AnyBatch, Labelled, Method, Shape, Signal, complete, everyone, visible
from trml.methods.layers.fusion import Head, mean_of_present, others
from trml.methods.layers.transformer import SequenceEncoder, TransformerLayer, masked_mean
from trml.methods.losses.task import task_loss


class Translator(nn.Module):
    """A decoder layer that writes all positions of the target at once, each from its own learned query.

    The queries are the same for every utterance. Attention among them would tell them nothing, so there is none.
    """

    def __init__(self, outputs: int, length: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(length, hidden))
        self.layer = TransformerLayer(hidden, heads)
        self.features = nn.Linear(hidden, outputs)

    def forward(self, source: Tensor, mask: Tensor, length: int | None = None) -> Tensor:
        """Return states of the target [B, length, hidden].

        Args:
            source: States of the source [B, n, hidden].
            mask: bool [B, n].
            length: How many positions to write, from the first; None for all.
        """
        return self.layer(self.queries[:length].unsqueeze(0), source, mask)

    def misfit(self, states: Tensor, real: Tensor, mask: Tensor) -> Tensor:
        """Return the mean squared error of the features that states stand for, zero if the mask is empty.

        Args:
            states: [B, length, hidden], of which the first n positions are read.
            real: The real features [B, n, outputs].
            mask: bool [B, n], the positions that count.
        """
        error = (self.features(states[:, : real.shape[1]]) - real).square().mean(dim=-1)
        return (error * mask).sum() / mask.sum().clamp(min=1)


class Translated(NamedTuple):
    """The sequences of a batch, and every translation of them.

    pooled: modality -> its mean state [B, hidden]. translations: target -> source ->
    states [B, length, hidden].
    """

    pooled: dict[str, Tensor]
    translations: dict[str, dict[str, Tensor]]

    def pooled_translation(self, target: str, seen: Mapping[str, Signal]) -> Tensor:
        """Return the mean state [B, hidden] of a target's translations over positions and present sources."""
        pooled = {source: states.mean(dim=1) for source, states in self.translations[target].items()}
        return mean_of_present(pooled, seen)


class ModalTrans(Method):
    """Translations between every ordered pair of modalities.

    L = L_task + forth sum_m mean_k MSE(x^_{m,k}, x_m) + back sum_m mean_k MSE(x^^_{m,k}, x_m).

    k runs over the other modalities, and both errors are on complete utterances. x^_{m,k} is translated from the
    sequence of k, x^^_{m,k} back from the translation of x_m itself into k. The head sees the mean state of each
    sequence. A missing one is replaced by its translations' mean over the present modalities. `positions` is of
    `SequenceEncoder`.
    """

    tensors = {"forth": NotNegative, "back": NotNegative}
    views = "sequence"

    def __init__(self, shape: Shape, *, hidden: Count, heads: Count, positions: NotNegative) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(
            {
                name: SequenceEncoder(d, steps, hidden, heads, positions=positions)
                for name, (steps, d) in shape.signals.items()
            }
        )
        self.translators = nn.ModuleDict(
            {
                f"{target}_from_{source}": Translator(d, steps, hidden, heads)
                for target, (steps, d) in shape.signals.items()
                for source in others(target, shape.modalities)
            }
        )
        self.head = Head(len(shape.signals) * hidden, shape.outputs, width=2 * hidden)

    def forward(self, batch: AnyBatch) -> Tensor:
        return self._predict(batch, self._translate(visible(batch)))

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        seen = visible(batch)
        translated = self._translate(seen)
        on_complete = complete(batch).unsqueeze(-1)
        masks = {name: signal.mask & on_complete for name, signal in seen.items()}
        returned = {
            target: {
                source: self._return(target, source, translated.translations[source][target], masks[target].shape[1])
                for source in others(target, list(seen))
            }
            for target in seen
        }
        forth = self._misfit(translated.translations, seen, masks)
        back = self._misfit(returned, seen, masks)
        task = task_loss(self._predict(batch, translated), batch.label, everyone(batch))
        return task + options["forth"] * forth + options["back"] * back

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the means over positions of the translations' states and of the real sequences'."""
        seen = visible(batch)
        translated = self._translate(seen)
        return {name: (translated.pooled_translation(name, seen), translated.pooled[name]) for name in seen}

    def _return(self, target: str, source: str, translation: Tensor, length: int) -> Tensor:
        """Return what a target's translation into a source is in the target again, [B, length, hidden]."""
        # A translation has every position: it cannot know how many the missing sequence had.
        everywhere = torch.ones_like(translation[..., 0], dtype=torch.bool)
        return self._translator(target, source)(translation, everywhere, length)

    def _translator(self, target: str, source: str) -> Translator:
        translator: Translator = self.translators[f"{target}_from_{source}"]  # type: ignore[assignment]
        return translator

    def _translate(self, seen: Mapping[str, Signal]) -> Translated:
        states, masks = {}, {}
        for name, signal in seen.items():
            states[name], masks[name] = self.encoders[name](signal.values, signal.mask)
        pooled = {name: masked_mean(states[name], masks[name]) for name in seen}
        translations = {
            target: {
                source: self._translator(target, source)(states[source], masks[source])
                for source in others(target, list(seen))
            }
            for target in seen
        }
        return Translated(pooled, translations)

    def _misfit(
        self, made: Mapping[str, Mapping[str, Tensor]], seen: Mapping[str, Signal], masks: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the errors of all translations, averaged over sources and summed over targets."""
        errors = [
            self._translator(target, source).misfit(states, seen[target].values, masks[target])
            for target, of_target in made.items()
            for source, states in of_target.items()
        ]
        return reduce(add, errors) / (len(seen) - 1)

    def _predict(self, batch: AnyBatch, translated: Translated) -> Tensor:
        given = [
            torch.where(
                signal.present.unsqueeze(-1),
                translated.pooled[name],
                translated.pooled_translation(name, batch.signals),
            )
            for name, signal in batch.signals.items()
        ]
        return self.head(torch.cat(given, dim=-1))
