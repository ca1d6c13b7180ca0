"""Group cells into blocks, each trained by one process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from trml.base.digests import digest
from trml.training.contract import Cell


@dataclass(frozen=True)
class Block:
    """The cells that one process trains.

    Attributes:
        name: Of the block.
        done: The file that says that they are in the store.
        weights: The file that says that the weights are, too, which later stages read.
        cells: The cells.
    """

    name: str
    done: Path
    weights: Path
    cells: tuple[Cell, ...]


def in_blocks(cells_of: Mapping[str, Sequence[Cell]], size: int, folder: Path) -> dict[str, Block]:
    """Return the blocks by name: the distinct cells of each method in pieces of equal length.

    Args:
        cells_of: Method -> its cells.
        size: Cells of a block, at most.
        folder: Where the files of blocks lie.
    """
    blocks = {}
    for method, every in cells_of.items():
        cells = list({cell.digest: cell for cell in every}.values())
        pieces = ceil(len(cells) / size)
        for i in range(pieces):
            part = tuple(cells[i * len(cells) // pieces : (i + 1) * len(cells) // pieces])
            name = f"{method}-{digest([cell.name for cell in part])}"
            blocks[name] = Block(name, folder / f"{name}.done", folder / f"{name}.weights", part)
    return blocks
