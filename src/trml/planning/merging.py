"""Bring what other runs or machines made into this work/: trainings, and the folders that they rest on.

Names are recipes, so the same name means the same recipe, on whichever machine it was made. Its content may differ in
the last bits; then the source that is merged last has it.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from polars.exceptions import PolarsError

from trml.base.artifacts import SUMS, content_digest, damage, is_whole, listed, read_json
from trml.base.errors import StoreError
from trml.base.files import not_a_file
from trml.base.printable import few, one_line
from trml.base.progress import say
from trml.planning.attic import FOLDERS, entries
from trml.sources.formats.archives import unpack
from trml.sources.formats.names import unsafe_path
from trml.training.store import RECORDS, cells_of, contents_of, keep_only, shards

_MERGED = [top for top in FOLDERS if top not in ("chunks", "blocks", "unfinished", "evaluations", "results")]


@dataclass
class Merged:
    """What a source brought: how many trainings and other folders that were not here, and what it replaced."""

    cells: int = 0
    folders: int = 0
    replaced: list[str] = field(default_factory=list)


def merge(source: Path, work: Path = Path("work")) -> Merged:
    """Bring what a source holds into `work`: regular files that the SHA256SUMS of its folders list, and nothing else.

    Args:
        source: Another clone, its work folder, or an archive of `trml export`.
        work: The folder of artifacts.

    Raises:
        ArchiveRefused: If an archive is unsafe or damaged.
        StoreError: If the source holds no artifacts, damaged ones, or what is no artifact.
    """
    if (kind := not_a_file(source)) not in (None, "is a folder", "is a link to a folder"):
        raise StoreError(f"{source} {kind}; expected a clone with work/, or an archive")
    was_there = work.is_dir()
    work.mkdir(exist_ok=True)
    try:
        return _merge(source, work)
    finally:
        if not was_there and not any(work.iterdir()):
            work.rmdir()


def _merge(source: Path, work: Path) -> Merged:
    with tempfile.TemporaryDirectory(prefix=".merged.", dir=work) as name:
        folder = source
        if source.is_file():
            folder = Path(name)
            unpack(source, folder)
        folder = folder / "work" if (folder / "work").is_dir() else folder
        found = entries(folder, _MERGED)
        if not found:
            raise StoreError(f"{source} holds nothing to merge; expected a clone with work/, or an archive")
        for each in found:  # before anything is brought
            _require_artifact(each)
        merged = Merged()
        for each in found:
            where = each.relative_to(folder)
            if where.parts[0] == "cells":
                _bring_shard(each, work / where.parent, merged)
            else:
                _bring_folder(each, work / where, merged)
    return merged


def _require_artifact(folder: Path) -> None:
    """Raise StoreError unless a folder is as it was written, of regular files, and a shard holds trainings."""
    fault = damage(folder) or next(filter(None, (_unsafe(folder, name) for name in listed(folder))), None)
    if fault is None and (folder / RECORDS).exists():
        fault = _unlike_a_shard(folder)
    if fault:
        raise StoreError(f"{folder}: {fault}. Make it again there, or get it again")


def _unsafe(folder: Path, name: str) -> str | None:
    """Return why a file that SHA256SUMS lists is not brought."""
    if (fault := unsafe_path(name)) is not None:
        return f"{one_line(name)} is {fault}"
    path = folder
    for part in PurePath(name).parts:
        path /= part
        if path.is_symlink():
            return f"{one_line(name)} is a link, or below one; expected files. To copy what links mean: cp -rL"
    return None


def _unlike_a_shard(folder: Path) -> str | None:
    """Return what a shard holds instead of trainings and their predictions; None if it holds them."""
    if not _are_records(read_json(folder / RECORDS)):
        return f"{RECORDS} holds no records of trainings; expected an object: digest of a training -> its record"
    try:
        contents_of(folder)
    except (AttributeError, LookupError, OSError, TypeError, ValueError, PolarsError) as error:
        reason = one_line((str(error).splitlines() or [type(error).__name__])[0])
        return f"predictions.parquet cannot be read as predictions ({reason})"
    return None


def _are_records(records: object) -> bool:
    """Return whether a document is records.json of a shard, as far as merging relies on it."""
    return (
        isinstance(records, dict)
        and bool(records)
        and all(isinstance(record, dict) and record.get("digest") == name for name, record in records.items())
        and all(isinstance(record.get("method"), str) and "failed" in record for record in records.values())
    )


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
    """Copy a folder, whole or not at all: what its SHA256SUMS lists. It may hold more, which is named."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.merged")
    shutil.rmtree(temporary, ignore_errors=True)
    names = [name for name in (SUMS, *listed(folder)) if (folder / name).exists()]
    for name in names:
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, temporary / name)
    beside = sorted({str(path.relative_to(folder)) for path in _below(folder)} - {*names})
    if beside:
        say(f"{folder}: not brought, since {SUMS} does not list it: {few(beside, 4)}")
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)


def _below(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder but folders. Links are not followed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path
