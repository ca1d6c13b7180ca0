"""A stretch of frames missing: as many frames as `frames` loses, but one after the other, as in an outage."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trml.missing.pattern import Missing
from trml.missing.steps import Steps
from trml.seeding import generator


class Stretch(Steps):
    """The loss of round(rate * T) frames of each clip of T, half to even, that follow each other."""

    def gone(self, real: NDArray[np.bool_], corpus: str, split: str, seed: int, rate: float) -> NDArray[np.bool_]:
        """Return which frames [N, T] are lost. A stretch of a higher rate holds that of every lower one."""
        length = real.sum(axis=1)
        lost = np.round(rate * length)
        start = np.floor(generator(seed, "missing stretch", corpus, split).random(len(real)) * (length - lost + 1))
        place = np.cumsum(real, axis=1) - 1  # of each frame among those that there are
        return np.asarray(real & (place >= start[:, None]) & (place < (start + lost)[:, None]))


def patterns(modalities: Sequence[str]) -> list[Missing]:
    """Return the one pattern, nothing for modalities without vision."""
    note = "The lost frames of a clip follow each other, at a random place; at rate 1 vision is missing."
    lost = (frozenset(["vision"]),)
    return [Stretch("stretch", "a stretch of frames missing", note, lost, "step")] if "vision" in modalities else []
