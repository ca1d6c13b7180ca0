"""Move what the configuration in force cannot reach to work/attic, and bring it back when it returns.

Names are recipes, so a folder that another configuration left is never wrong, only unused. DVC's stages set it aside:
DVC then keeps what the configuration says, and going back trains nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from trml.base.errors import CommandError, ContractError, StoreError
from trml.base.printable import shortened
from trml.planning.models import proposed_model
from trml.planning.plan import Plan
from trml.report.result_files import manifest_of, table_in
from trml.training.contract import Cell
from trml.training.store import cells_of, is_done

# The folders of work/ whose entries are named by recipes, and how deep those names lie.
FOLDERS = {
    "corpora": 1,
    "encoders": 1,
    "chunks": 1,
    "features": 1,
    "blocks": 1,
    "unfinished": 1,
    "cells": 3,  # shards, each with many cells
    "models": 1,
    "references": 1,
    "evaluations": 1,
    "probes": 1,
    "results": 1,
}

ATTIC = "attic"


def reachable(plans: Iterable[Plan]) -> list[Path]:
    """Return every path below work/ that the plans name, whether it exists or not; shards have no names of theirs."""
    paths = []
    for plan in plans:
        paths += [plan.chunks, *(folder for folder, _ in plan.folders)]
        blocks = [*plan.blocks.values(), *plan.search_blocks.values()]
        paths += [path for block in blocks for path in (block.done, block.weights, plan.unfinished(block))]
        model = proposed_model(plan) if plan.dataset is None else None
        paths += [model[0]] if model else []
    return paths


def reachable_cells(plans: Iterable[Plan]) -> dict[str, Cell]:
    """Return every cell of the plans, those of the search on dev too, by digest."""
    return {
        cell.digest: cell
        for plan in plans
        for cells in (plan.cells, *(block.cells for block in plan.search_blocks.values()))
        for cell in cells
    }


def unreachable(plans: Iterable[Plan], only: Collection[str] = (), work: Path = Path("work")) -> list[Path]:
    """Return what exists in work/ under a name that no plan has, temporary leftovers included.

    A shard of the cell store is kept whole as long as a plan has one of its cells.

    Args:
        plans: The plans of the configuration in force.
        only: Folders of work/ to look in, all of FOLDERS if empty.
        work: The folder of artifacts.
    """
    plans = list(plans)
    kept, cells = set(reachable(plans)), reachable_cells(plans)
    return [path for path in entries(work, only) if path not in kept and not cells.keys() & cells_of(path)]


def aside(work: Path = Path("work")) -> list[Path]:
    """Return what lies in the attic."""
    return entries(work / ATTIC)


def entries(work: Path, only: Collection[str] = ()) -> list[Path]:
    """Return the paths of a work/ that are named by recipes, and the shards; `only`: of these folders of it.

    Raises:
        CommandError: If one of `only` is no folder of FOLDERS.
    """
    unknown = [name for name in only if name not in FOLDERS]
    if unknown:
        raise CommandError(
            f"{shortened(unknown[0])} is no folder of work/ to look in; expected of {', '.join(FOLDERS)}"
        )
    depths = {top: depth for top, depth in FOLDERS.items() if not only or top in only}
    return [path for top, depth in depths.items() for path in sorted(work.glob("/".join([top] + ["*"] * depth)))]


def rested_on(results: Path = Path("results")) -> set[str]:
    """Return what published results were made from: names of folders of work/, and digests of cells.

    Raises:
        StoreError: If a table of published results is damaged.
        ContractError: If a manifest has not the form of published results.
    """
    names: set[str] = set()
    for manifest in results.glob("*/manifest.json"):
        record = manifest_of(manifest.parent)
        names |= set(_words([record["digest"], record["made_from"]]))
        for table in manifest.parent.glob("metrics*.csv"):
            try:
                names |= set(table_in(table, columns=["cell"])["cell"])
            except ContractError:
                raise StoreError(
                    f"{table} cannot be read, so it is unknown what {manifest.parent} rests on. Restore it from git "
                    "or remove the folder"
                ) from None
    return names


def _words(value: object) -> Iterator[str]:
    """Yield every string in nested mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _words(each)


def is_among(path: Path, names: Collection[str]) -> bool:
    """Return whether a path of work/, or a cell of it, is among names."""
    return path.name in names or any(cell in names for cell in cells_of(path))


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def set_aside(path: Path, work: Path = Path("work")) -> None:
    """Move a path of work/ to the attic."""
    _move(path, work / ATTIC / path.relative_to(work))


def bring_back(plans: Iterable[Plan], work: Path = Path("work")) -> None:
    """Move from the attic what the plans reach and work/ lacks."""
    if not (work / ATTIC).is_dir():
        return
    plans = list(plans)
    for path in reachable(plans):
        kept = work / ATTIC / path.relative_to(work)
        if kept.exists() and not path.exists():
            _move(kept, path)
    lacking = {name for name, cell in reachable_cells(plans).items() if not is_done(cell)}
    for shard in entries(work / ATTIC, ["cells"]):
        if lacking & {*cells_of(shard)}:
            _move(shard, work / shard.relative_to(work / ATTIC))


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        source.rename(target)
