"""The random numbers that methods ask for: which stream each of them comes from.

Every draw that is fresh for each row and the same for all cells of a seed is part of one array, cut by name in the
order of `Method.draws`. All others have a stream of their own, which their name and, if they are a cell's own, the
cell's digest are part of.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trml.methods.contract import Draw
from trml.seeding import generator
from trml.training.contract import Cell

Drawn = dict[str, NDArray[np.float32]]


def draws_of_pass(
    wanted: Mapping[str, Draw], seed: int, epoch: int, which: int, shape: tuple[int, int], cell: Cell
) -> Drawn:
    """Return the draws of pass `which` of an epoch: [steps, B, size] by name, [steps, size] where they are a batch's.

    Args:
        wanted: What the method asks for.
        seed: The experiment's.
        epoch: From 0.
        which: The place of the pass in its epoch.
        shape: (steps, B).
        cell: Whose draws they are.
    """
    return _draw(wanted, seed, "draws", (cell.spec.seed, epoch, which), shape, cell.digest)


def draws_of_split(wanted: Mapping[str, Draw], seed: int, split: str, n: int, cell: Cell) -> Drawn:
    """Return the draws with which a split is predicted, whatever is present: [n, size], [size] where a batch's."""
    return _draw(wanted, seed, "draws at evaluation", (cell.spec.seed, split), (n,), cell.digest)


def shared_by(wanted: Mapping[str, Draw], shared: Literal["seed", "cell"]) -> dict[str, Draw]:
    """Return the draws that all cells of a seed share, or those that are a cell's own."""
    return {name: draw for name, draw in wanted.items() if draw.shared == shared}


def _draw(
    wanted: Mapping[str, Draw], seed: int, purpose: str, key: Sequence[object], shape: tuple[int, ...], digest: str
) -> Drawn:
    together = [name for name, draw in wanted.items() if (draw.varies, draw.shared) == ("row", "seed")]
    drawn: Drawn = {}
    if together:
        ends = np.cumsum([wanted[name].size for name in together])
        numbers = generator(seed, purpose, *key).random((*shape, int(ends[-1])), dtype=np.float32)
        drawn = dict(zip(together, np.split(numbers, ends[:-1], axis=-1), strict=True))
    for name, draw in wanted.items():
        if name not in drawn:
            own = (name, digest) if draw.shared == "cell" else (name,)
            size = (*(shape if draw.varies == "row" else shape[:-1]), draw.size)
            drawn[name] = generator(seed, purpose, *key, *own).random(size, dtype=np.float32)
    return {name: drawn[name] for name in wanted}
