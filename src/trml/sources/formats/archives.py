"""Unpack archives safely and resumably.

An archive is read and checked as a whole before its first file is written (archive_members.py). Each file appears
complete or not at all. Unpacking that was killed resumes where it stopped.
"""

import shutil
import zlib
from pathlib import Path
from typing import IO, NoReturn

from trml.base.artifacts import read_json, write_json
from trml.base.errors import DataMissing, StoreError
from trml.base.files import not_a_file
from trml.base.printable import shortened
from trml.base.progress import Meter, say
from trml.sources.formats.archive_entries import CHUNK, entries, readable, refuse
from trml.sources.formats.archive_members import LISTING, UNFINISHED, Allowance, Member, members
from trml.sources.formats.limits import disk_for

_DEPTH = 3  # of archives in archives


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip, tar or tar.gz below `folder`.

    Inner archives are unpacked beside themselves and then removed; `.<name>.members` keeps the list of their files.
    Existing files must be equal to the archive's; nothing is overwritten. Modes, owners and times are ignored.

    Raises:
        DataMissing: If there is no archive.
        ArchiveRefused: If it is damaged or unsafe.
    """
    if (kind := not_a_file(archive)) is not None:
        raise DataMissing(f"{archive} {kind}. Put the archive there")
    _unpack(archive, folder, 1, Allowance(disk_for(archive)))


def _unpack(archive: Path, folder: Path, depth: int, allowance: Allowance) -> list[tuple[str, int]]:
    """Unpack an archive; return the paths below `folder` and the sizes of its files."""
    if depth > _DEPTH:
        refuse(archive, f"archives are nested more than {_DEPTH} deep")
    planned, leftovers = members(archive, allowance)
    done = {
        member.path: listed
        for member in planned.values()
        if member.is_archive and (listed := _listed(folder, member)) is not None
    }
    for _, size in (file for files in done.values() for file in files):
        allowance.take(archive, size)
    there = {n: m for n, m in planned.items() if m.path not in done and _is_unpacked(archive, folder, m)}
    _compare(archive, folder, {name: member for name, member in there.items() if member.crc is None})
    waiting = {n: m for n, m in planned.items() if m.path not in done and n not in there}
    _write(archive, folder, waiting)
    came_out = [(str(m.path), m.size) for m in planned.values() if not m.is_archive]
    for member in (member for member in planned.values() if member.is_archive):
        path = folder / member.path
        if member.path not in done:
            done[member.path] = _unpack(path, path.parent, depth + 1, allowance)
            write_json(_listing(path), {"size": member.size, "members": done[member.path]})
        path.unlink(missing_ok=True)
        came_out += [(str(member.path.parent / name), size) for name, size in done[member.path]]
    skipped = f", {leftovers} macOS metadata files skipped" if leftovers else ""
    say(f"{archive.name}: {len(waiting)} files unpacked, {len(planned) - len(waiting)} were already unpacked{skipped}")
    return came_out


def _listing(path: Path) -> Path:
    return path.with_name(f".{path.name}{LISTING}")


def _listed(folder: Path, member: Member) -> list[tuple[str, int]] | None:
    """Return the files of an inner archive that was unpacked before, None if any of them is absent."""
    path = folder / member.path
    try:
        listing = read_json(_listing(path))
        files = [(str(name), int(size)) for name, size in listing["members"]]
        whole = listing["size"] == member.size and all(
            (path.parent / name).is_file() and (path.parent / name).stat().st_size == size for name, size in files
        )
    except (StoreError, OSError, ValueError, KeyError, TypeError):  # absent or damaged: the archive is unpacked again
        return None
    return files if whole else None


def _is_unpacked(archive: Path, folder: Path, member: Member) -> bool:
    """Return whether a member was unpacked before; refuse to follow a link or to overwrite anything else."""
    path = folder / member.path
    for parent in [path, *(folder / part for part in member.path.parents if part.parts)]:
        if parent.is_symlink():
            refuse(archive, f"{parent} is a link, and files are not written through links. Remove it")
        if parent != path and parent.exists() and not parent.is_dir():
            refuse(archive, f"{parent} is a file, and {member.path} needs a folder there. Remove it")
    if not path.exists():
        return False
    same = path.is_file() and path.stat().st_size == member.size
    if not same or (member.crc is not None and _crc(path) != member.crc):
        _differs(archive, path)
    return True


def _differs(archive: Path, path: Path) -> NoReturn:
    refuse(archive, f"{path} exists and differs from the archive's. Remove it to unpack the archive's")


def _compare(archive: Path, folder: Path, there: dict[str, Member]) -> None:
    """Refuse members of a tar, which has no checksums, that are there with other bytes of the same number."""
    left = dict(there)
    for entry in entries(archive) if left else ():
        member = left.pop(entry.name, None)
        if member is None or entry.kind != "file":
            continue
        with readable(archive), entry.open() as source, (folder / member.path).open("rb") as file:
            while (chunk := source.read(CHUNK)) == file.read(len(chunk)):
                if not chunk:
                    break
            else:
                _differs(archive, folder / member.path)
        if not left:
            break


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc


def _write(archive: Path, folder: Path, waiting: dict[str, Member]) -> None:
    """Write the members in the archive's order."""
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(member.size for member in waiting.values())
    free = shutil.disk_usage(folder).free
    if total > free:
        refuse(archive, f"it unpacks to {total >> 20} MB and {free >> 20} MB are free below {folder}. Free disk space")
    meter, done = Meter(f"MB of {archive.name} unpacked", total >> 20), 0
    left = dict(waiting)
    for entry in entries(archive) if waiting else ():
        member = left.pop(entry.name, None)
        if member is None or entry.kind != "file":
            continue
        path = folder / member.path
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}{UNFINISHED}")
        try:
            unfinished.unlink(missing_ok=True)  # of a run that was killed, or a link that would lead elsewhere
            with readable(archive), entry.open() as source, unfinished.open("xb") as file:
                done = _copy(source, file, meter, done)
            if unfinished.stat().st_size != member.size:
                refuse(
                    archive, f"{shortened(entry.name)} has {unfinished.stat().st_size} bytes; it declares {member.size}"
                )
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
    if left:
        refuse(archive, f"it changed while it was read: {shortened(min(left))} is absent")


def _copy(source: IO[bytes], file: IO[bytes], meter: Meter, done: int) -> int:
    """Copy a member in chunks; return `done` plus the bytes copied."""
    while chunk := source.read(CHUNK):
        file.write(chunk)
        done += len(chunk)
        meter.update(done >> 20)
    return done
