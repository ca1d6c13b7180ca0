"""What of work/ the configuration in force can reach, and what becomes of the rest.

Names are recipes, so a folder that another configuration left is never wrong, only unused: it can be removed, or set
aside in work/attic and brought back by name when the configuration returns. DVC's stages set aside, so that what DVC
keeps is what the configuration says and going back trains nothing.
"""

from collections.abc import Collection
from pathlib import Path

from trml.plan import Plan

# The folders of work/ that hold one thing a name, and how deep the names lie.
FOLDERS = {"corpora": 1, "encoders": 1, "features": 1, "blocks": 1, "cells": 4, "evaluations": 1, "results": 1}
ATTIC = "attic"


def reachable(plan: Plan) -> list[Path]:
    """Every name below work/ that the plan has, whether it is there or not."""
    single = (plan.corpus, plan.encoder, plan.features, plan.evaluation, plan.results)
    blocks = (block.path for block in plan.blocks.values())
    return [*filter(None, single), *blocks, *(plan.cell_folder(cell) for cell in plan.cells)]


def unreachable(plan: Plan, only: Collection[str] = ()) -> list[Path]:
    """What stands in work/ (in the folders `only` names, or in all) under a name that the plan does not have,
    temporary leftovers included."""
    kept, found = set(reachable(plan)), []
    for top, depth in FOLDERS.items():
        if not only or top in only:
            found += [path for path in sorted(plan.work.glob("/".join([top] + ["*"] * depth))) if path not in kept]
    return found


def set_aside(plan: Plan, path: Path) -> None:
    """Move what the plan cannot reach to the attic."""
    _move(path, plan.work / ATTIC / path.relative_to(plan.work))


def bring_back(plan: Plan) -> None:
    """Take from the attic what the plan can reach and work/ lacks."""
    if (plan.work / ATTIC).is_dir():
        for path in reachable(plan):
            kept = plan.work / ATTIC / path.relative_to(plan.work)
            if kept.exists() and not path.exists():
                _move(kept, path)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)
