"""Missing and wrong labels: which training utterances keep a label, and whose label each of them gets."""

import numpy as np
from numpy.typing import NDArray

from trml.seeding import generator

Places = NDArray[np.int64]


def of_draw(draws: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Return which rows are of the draw that trainings of a seed use, bool [N]; `draws` has the draw of each row."""
    return np.asarray(draws == seed % (draws.max() + 1))


def given_labels(
    draws: NDArray[np.int64], corpus: str, count: int | None, noise: float, seed: int
) -> tuple[Places, Places]:
    """Return the places [n] of the training utterances that keep a label, and those of the labels they get, [n].

    Those of a smaller count are among those of a larger one.

    Args:
        draws: Which of several training sets each utterance is of.
        corpus: The corpus's name, which random streams depend on.
        count: How many of its draw keep their labels, None for all.
        noise: The share of these whose labels change places among each other.
        seed: The training's.
    """
    mine = np.flatnonzero(of_draw(draws, seed))
    kept = generator(seed, "labels", corpus).permutation(mine)[:count]
    wrong = generator(seed, "wrong labels", corpus).permutation(len(kept))[: round(noise * len(kept))]
    source = kept.copy()
    source[wrong] = kept[np.roll(wrong, 1)]
    return kept, source
