"""Frames missing: each frame of a clip is lost on its own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trml.missing.pattern import Missing, Presence, anything
from trml.seeding import generator

MODALITY = "vision"
RATES = (0.1, 0.3, 0.5, 0.7, 0.9)  # at which every cell is evaluated with frames missing; 1 is vision missing


class Frames(Missing):
    """The loss of single frames: about rate * N * T of them."""

    def rates(self, rates: Sequence[float]) -> list[float]:
        """Return those of a protocol's rates at which cells are evaluated."""
        return [rate for rate in rates if rate in (0.0, *RATES, 1.0)]

    def shares(self, rate: float, modalities: Sequence[str]) -> dict[frozenset[str], float] | None:
        """Return the share of utterances with each set of modalities, None for 0 < rate < 1."""
        return super().shares(rate, modalities) if rate in (0.0, 1.0) else None

    def presence(self, real: Presence, corpus: str, split: str, seed: int, rate: float) -> dict[str, NDArray[np.bool_]]:
        """Return what is left: bool [N, T] of the frames, bool [N, 1] of every other modality.

        An utterance without another modality that would lose its last frame keeps all it has.
        """
        frames = real[MODALITY]
        left = frames & ~(generator(seed, "missing frames", corpus, split).random(frames.shape) < rate)
        others = {modality: mask[:, None] for modality, mask in anything(real).items() if modality != MODALITY}
        alone = ~np.logical_or.reduce(list(others.values()))[:, 0] if others else np.ones(len(frames), dtype=bool)
        empty = alone & ~left.any(axis=1)
        left[empty] = frames[empty]
        return {modality: left if modality == MODALITY else others[modality] for modality in real}


def patterns(modalities: Sequence[str]) -> list[Missing]:
    """Return the one pattern, nothing for modalities without vision."""
    note = "Each frame is lost on its own; at rate 1 vision is missing."
    lost = (frozenset([MODALITY]),)
    return [Frames("frames", "frames missing", note, lost, "step")] if MODALITY in modalities else []
