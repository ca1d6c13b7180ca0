"""Verify the artifacts of work/ against their checksums, and withdraw damaged ones so that they are made again.

It runs when the Snakefile is read, before Snakemake looks for what is absent. A folder that was verified is not read
again while the names, sizes and times of its files stay the same.
"""

from collections.abc import Iterable
from pathlib import Path

from trml.base.artifacts import damage, fingerprint, write_json, write_text
from trml.base.checksums import recall
from trml.base.progress import say
from trml.planning.blocks import Block
from trml.planning.plan import Plan
from trml.training.store import RECORDS, cells_of, is_done, withdraw

CHECKED = "checked.json"


def withdraw_damaged(plans: list[Plan], work: Path = Path("work")) -> None:
    """Invalidate damaged artifacts that the plans reach, and report each one.

    A folder is invalidated by removing its finishing file; a shard of cells is removed.
    """
    known = recall(work / CHECKED)
    verified = {}
    for folder, finished in dict.fromkeys([*(entry for plan in plans for entry in plan.folders), *_shards(plans)]):
        if folder.is_dir() and not (folder / finished).is_file():
            _withdraw(folder, finished, f"{finished} is absent")
        elif folder.is_dir():
            name, state = str(folder.relative_to(work)), fingerprint(folder)
            fault = None if known.get(name) == state else damage(folder)
            if fault is None:
                verified[name] = state
            else:
                _withdraw(folder, finished, fault)
    if verified != known:
        write_json(work / CHECKED, verified)


def say_what_is_done(blocks: Iterable[tuple[Plan, Block]]) -> None:
    """Write the files that say that the cells of a block are in the store, and their weights; remove false ones."""
    for plan, block in blocks:
        weights = all(is_done(cell, with_weights=True) for cell in block.cells if cell.digest in plan.restored)
        done = all(map(is_done, block.cells))
        for path, is_so in ((block.done, done), (block.weights, done and weights)):
            if is_so and not path.is_file():
                write_text(path, "")
            elif not is_so:
                path.unlink(missing_ok=True)


def _withdraw(folder: Path, finished: str, fault: str) -> None:
    if finished == RECORDS:
        say(f"{folder}: {fault}; its cells are trained again")
        withdraw(folder)
    else:
        say(f"{folder}: {fault}; it is made again")
        (folder / finished).unlink(missing_ok=True)


def _shards(plans: list[Plan]) -> list[tuple[Path, str]]:
    """Return the shards that hold a cell of the plans, and those whose cells cannot be read."""
    wanted: dict[Path, set[str]] = {}
    for plan in plans:
        wanted.setdefault(plan.cell_store, set()).update(cell.digest for cell in plan.cells)
    return [
        (shard, RECORDS)
        for store, names in wanted.items()
        for shard in sorted(store.glob("[!.]*"))
        if not (held := {*cells_of(shard)}) or held & names
    ]
