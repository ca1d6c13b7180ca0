"""Move what the configuration in force cannot reach to work/attic, and bring it back when it returns.

Names are recipes, so a folder that another configuration left is never wrong, only unused. DVC's stages set it aside:
DVC then keeps what the configuration says, and going back trains nothing.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from trml.planning.plan import Plan

# The folders of work/ whose entries are named by recipes, and how deep those names lie.
FOLDERS = {
    "corpora": 1,
    "encoders": 1,
    "chunks": 1,
    "features": 1,
    "blocks": 1,
    "unfinished": 1,
    "cells": 4,
    "evaluations": 1,
    "probes": 1,
    "results": 1,
}

ATTIC = "attic"


def reachable(plans: Iterable[Plan]) -> list[Path]:
    """Return every path below work/ that the plans name, whether it exists or not."""
    paths = []
    for plan in plans:
        paths += [plan.chunks, *(folder for folder, _ in plan.folders)]
        blocks = [*plan.blocks.values(), *plan.search_blocks.values()]
        paths += [cell.folder for block in plan.search_blocks.values() for cell in block.cells]
        paths += [path for block in blocks for path in (block.path, plan.unfinished(block))]
    return paths


def unreachable(plans: Iterable[Plan], only: Collection[str] = (), work: Path = Path("work")) -> list[Path]:
    """Return what exists in work/ under a name that no plan has, temporary leftovers included.

    Args:
        plans: The plans of the configuration in force.
        only: Folders of work/ to look in, all of FOLDERS if empty.
        work: The folder of artifacts.
    """
    kept = set(reachable(plans))
    depths = {top: depth for top, depth in FOLDERS.items() if not only or top in only}
    candidates = (sorted(work.glob("/".join([top] + ["*"] * depth))) for top, depth in depths.items())
    return [path for paths in candidates for path in paths if path not in kept]


def set_aside(path: Path, work: Path = Path("work")) -> None:
    """Move a path of work/ to the attic."""
    _move(path, work / ATTIC / path.relative_to(work))


def bring_back(plans: Iterable[Plan], work: Path = Path("work")) -> None:
    """Move from the attic what the plans reach and work/ lacks."""
    if (work / ATTIC).is_dir():
        for path in reachable(plans):
            kept = work / ATTIC / path.relative_to(work)
            if kept.exists() and not path.exists():
                _move(kept, path)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)
