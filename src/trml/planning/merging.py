"""Bring what other runs or machines made into this work/: trainings, and the folders that they rest on.

Names are recipes, so the same name means the same recipe, on whichever machine it was made. Its content may differ in
the last bits; then the source that is merged last has it.
"""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from trml.base.artifacts import content_digest, damage, is_whole
from trml.base.errors import StoreError
from trml.planning.attic import FOLDERS, entries
from trml.sources.formats.archives import unpack
from trml.training.store import cells_of, contents_of, keep_only, shards

_MERGED = [top for top in FOLDERS if top not in ("chunks", "blocks", "unfinished", "evaluations", "results")]


@dataclass
class Merged:
    """What a source brought: how many trainings and other folders that were not here, and what it replaced."""

    cells: int = 0
    folders: int = 0
    replaced: list[str] = field(default_factory=list)


def merge(source: Path, work: Path = Path("work")) -> Merged:
    """Bring what a source holds into `work`.

    Args:
        source: Another clone, its work folder, or an archive of `trml export`.
        work: The folder of artifacts.

    Raises:
        ArchiveRefused: If an archive is unsafe or damaged.
        StoreError: If the source holds no artifacts, or damaged ones.
    """
    work.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".merged.", dir=work) as name:
        folder = source
        if source.is_file():
            folder = Path(name)
            unpack(source, folder)
        folder = folder / "work" if (folder / "work").is_dir() else folder
        found = entries(folder, _MERGED)
        if not found:
            raise StoreError(f"{source} holds nothing to merge; expected a clone with work/, or an archive")
        merged = Merged()
        for each in found:
            fault = damage(each)
            if fault:
                raise StoreError(f"{each}: {fault}. Make it again there, or get it again")
            where = each.relative_to(folder)
            if where.parts[0] == "cells":
                _bring_shard(each, work / where.parent, merged)
            else:
                _bring_folder(each, work / where, merged)
    return merged


def _bring_folder(folder: Path, target: Path, merged: Merged) -> None:
    if not target.exists():
        _copy(folder, target)
        merged.folders += 1
    elif content_digest(folder) != content_digest(target):
        _copy(folder, target)
        merged.replaced.append(target.name)


def _bring_shard(shard: Path, store: Path, merged: Merged) -> None:
    """Bring the cells of a shard that are new here, have other predictions here, or lack their weights here."""
    theirs, held = contents_of(shard), dict[str, tuple[Path, str | None]]()
    for holder in shards(store):
        if theirs.keys() & cells_of(holder):
            held |= {name: (holder, content) for name, content in contents_of(holder).items() if name in theirs}
    new = [name for name in theirs if name not in held]
    other = [name for name, (_, content) in held.items() if content != theirs[name]]
    weightless = [name for name, (holder, _) in held.items() if is_whole(shard) and not is_whole(holder)]
    taken = {*new, *other, *weightless}
    if not taken:
        return
    for holder in {held[name][0] for name in taken & held.keys()}:
        keep_only(holder, [name for name in cells_of(holder) if name not in taken])
    _copy(shard, store / shard.name)
    if taken < theirs.keys():
        keep_only(store / shard.name, [name for name in theirs if name in taken])
    merged.cells += len(new)
    merged.replaced += other


def _copy(folder: Path, target: Path) -> None:
    """Copy a folder, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.merged")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(folder, temporary)
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
