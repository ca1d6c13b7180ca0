"""Patterns that take single steps of one modality's sequence, such as frames of a clip."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trml.missing.pattern import Missing, Presence, anything

RATES = (0.1, 0.3, 0.5, 0.7, 0.9)  # at which every cell is evaluated with steps missing; at 1 the modality is missing


class Steps(Missing, ABC):
    """The loss of steps of the one modality in `lost`, at a rate of them."""

    @property
    def modality(self) -> str:
        """Whose steps are lost."""
        (modality,) = self.lost[0]
        return modality

    @abstractmethod
    def gone(self, real: NDArray[np.bool_], corpus: str, split: str, seed: int, rate: float) -> NDArray[np.bool_]:
        """Return which of the steps [N, T] that the corpus has are lost; all of them at rate 1."""

    def rates(self, rates: Sequence[float]) -> list[float]:
        """Return those of a protocol's rates at which cells are evaluated."""
        return [rate for rate in rates if rate in (0.0, *RATES, 1.0)]

    def shares(self, rate: float, modalities: Sequence[str]) -> dict[frozenset[str], float] | None:
        """Return the share of utterances with each set of modalities, None for 0 < rate < 1."""
        return super().shares(rate, modalities) if rate in (0.0, 1.0) else None

    def presence(
        self,
        real: Presence,
        corpus: str,
        split: str,
        seed: int,
        rate: float,
        log_odds: NDArray[np.float64] | None = None,
    ) -> dict[str, NDArray[np.bool_]]:
        """Return what is left: bool [N, T] of the sequence, bool [N, 1] of every other modality.

        An utterance without another modality that would lose its last step keeps all it has.

        Raises:
            ValueError: If there are log odds: steps are lost by chance alone.
        """
        if log_odds is not None:
            raise ValueError(f"{self.label} cannot depend on the label; choose a pattern of whole modalities")
        steps = real[self.modality]
        left = steps & ~self.gone(steps, corpus, split, seed, rate)
        others = {modality: mask[:, None] for modality, mask in anything(real).items() if modality != self.modality}
        alone = ~np.logical_or.reduce(list(others.values()))[:, 0] if others else np.ones(len(steps), dtype=bool)
        empty = alone & ~left.any(axis=1)
        left[empty] = steps[empty]
        return {modality: left if modality == self.modality else others[modality] for modality in real}
