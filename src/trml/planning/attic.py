"""Move what the configuration in force cannot reach to work/attic, and bring it back when it returns.

Names are recipes, so a folder that another configuration left is never wrong, only unused. DVC's stages set it aside:
DVC then keeps what the configuration says, and going back trains nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from trml.base.artifacts import read_json
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
    return [path for path in _entries(work, only) if path not in kept]


def aside(work: Path = Path("work")) -> list[Path]:
    """Return what lies in the attic."""
    return _entries(work / ATTIC)


def _entries(work: Path, only: Collection[str] = ()) -> list[Path]:
    depths = {top: depth for top, depth in FOLDERS.items() if not only or top in only}
    return [path for top, depth in depths.items() for path in sorted(work.glob("/".join([top] + ["*"] * depth)))]


def rested_on(results: Path = Path("results")) -> set[str]:
    """Return what published results were made from: names of folders of work/, and digests of cells."""
    names: set[str] = set()
    for manifest in results.glob("*/manifest.json"):
        record = read_json(manifest)
        names |= set(_words([record["digest"], record["made_from"]]))
        for table in manifest.parent.glob("metrics*.csv"):
            names |= set(pl.read_csv(table, columns=["cell"], schema_overrides={"cell": pl.String})["cell"])
    return names


def _words(value: object) -> Iterator[str]:
    """Yield every string in nested mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _words(each)


def is_among(path: Path, names: Collection[str]) -> bool:
    """Return whether a path of work/, or the digest that its name ends in, is among names."""
    return path.name in names or path.name.rpartition("-")[2] in names


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


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
