"""What of work/ the configuration in force can reach, and what becomes of the rest.

Names are recipes, so a folder that another configuration left is never wrong, only unused: it can be removed, or set
aside in work/attic and brought back by name when the configuration returns. DVC's stages set aside, so that what DVC
keeps is what the configuration says and going back trains nothing.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from trml.planning.plan import Plan

# The folders of work/ that hold one thing a name, and how deep the names lie.
FOLDERS = {
    "corpora": 1,
    "encoders": 1,
    "chunks": 1,
    "features": 1,
    "blocks": 1,
    "unfinished": 1,
    "cells": 4,
    "evaluations": 1,
    "analyses": 1,
    "results": 1,
}

ATTIC = "attic"


def reachable(plans: Iterable[Plan]) -> list[Path]:
    """Every name below work/ that the plans have, whether it is there or not."""
    found = []
    for plan in plans:
        found += [plan.chunks, *(folder for folder, _ in plan.folders)]
        found += [plan.cell_folder(cell) for block in plan.search_blocks.values() for cell in block.cells]
        for block in (*plan.blocks.values(), *plan.search_blocks.values()):
            found += [block.path, plan.unfinished(block)]
    return found


def unreachable(plans: Iterable[Plan], only: Collection[str] = (), work: Path = Path("work")) -> list[Path]:
    """What stands in work/ (in the folders `only` names, or in all) under a name that no plan has, temporary leftovers
    included."""
    kept, found = set(reachable(plans)), []
    for top, depth in FOLDERS.items():
        if not only or top in only:
            found += [path for path in sorted(work.glob("/".join([top] + ["*"] * depth))) if path not in kept]
    return found


def set_aside(path: Path, work: Path = Path("work")) -> None:
    """Move what no plan can reach to the attic."""
    _move(path, work / ATTIC / path.relative_to(work))


def bring_back(plans: Iterable[Plan], work: Path = Path("work")) -> None:
    """Take from the attic what the plans can reach and work/ lacks."""
    if (work / ATTIC).is_dir():
        for path in reachable(plans):
            kept = work / ATTIC / path.relative_to(work)
            if kept.exists() and not path.exists():
                _move(kept, path)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)
