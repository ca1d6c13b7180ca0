"""Frames missing: each frame of a clip is lost on its own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trml.missing.pattern import Missing
from trml.missing.steps import Steps
from trml.seeding import generator


class Frames(Steps):
    """The loss of single frames: about rate * N * T of them."""

    def gone(self, real: NDArray[np.bool_], corpus: str, split: str, seed: int, rate: float) -> NDArray[np.bool_]:
        """Return which frames [N, T] are lost."""
        return generator(seed, "missing frames", corpus, split).random(real.shape) < rate


def patterns(modalities: Sequence[str]) -> list[Missing]:
    """Return the one pattern, nothing for modalities without vision."""
    note = "Each frame is lost on its own; at rate 1 vision is missing."
    lost = (frozenset(["vision"]),)
    return [Frames("frames", "frames missing", note, lost, "step")] if "vision" in modalities else []
