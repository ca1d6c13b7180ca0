"""Write artifacts whole or not at all, and verify them.

A folder of work/ is named by the digest of its recipe: the configuration it depends on, the digests of its upstream
folders, and its source. It is written once and never changed. Its SHA256SUMS, in the format of `sha256sum`, records
what was written.

Some folders have bulk: large files that can be made again and that later stages seldom read. DVC keeps such a folder
without them (.dvcignore). The file `whole` says that they are here.
"""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from trml.base.commands import run_again
from trml.base.digests import digest, file_digest, plain
from trml.base.errors import StoreError
from trml.base.files import not_a_file, not_to_replace
from trml.base.printable import one_line

SUMS = "SHA256SUMS"
WHOLE = "whole"
BULK = ("media/*", "*.npy", "checkpoints.safetensors", WHOLE)  # .dvcignore has the same


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS: the checksum of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    (folder / SUMS).write_text("".join(f"{file_digest(path)}  {path.relative_to(folder)}\n" for path in files))


def damage(folder: Path) -> str | None:
    """Return the first difference between a folder and its SHA256SUMS, in words; None if there is none.

    A folder that is not whole may lack its bulk.
    """
    if not_a_file(folder / SUMS) is not None:
        return f"{SUMS} is absent or unreadable"
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return f"{SUMS} is absent or unreadable"
    if not lines:
        return f"{SUMS} is empty"
    may_lack_bulk = not is_whole(folder)
    for line in lines:
        checksum, _, name = line.partition("  ")
        kind = not_a_file(folder / name)
        if may_lack_bulk and is_bulk(name) and kind == "is missing":
            continue
        if not name or kind is not None:
            return f"{one_line(name) or SUMS} {'is absent' if not name or kind == 'is missing' else kind}"
        if file_digest(folder / name) != checksum:
            return f"{one_line(name)} changed after it was written: its checksum differs from {SUMS}"
    return None


def listed(folder: Path) -> list[str]:
    """Return the names of the files that a folder's SHA256SUMS lists; some of its bulk may not be here."""
    return [line.partition("  ")[2] for line in (folder / SUMS).read_text().splitlines()]


def fingerprint(folder: Path) -> str:
    """Return a digest of the name, size, times and inode of every file in a folder.

    The time of change (ctime) cannot be set back, as that of modification can.
    """
    entries = []
    for root, _, files in os.walk(folder):
        for name in files:
            stat = os.stat(os.path.join(root, name))  # noqa: PTH116, PTH118  pathlib takes three times as long
            entries.append((root, name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
    return digest(sorted(entries))


def content_digest(folder: Path | None) -> str | None:
    """Return twelve digits that name what a folder holds, by its SHA256SUMS; None where it is not here."""
    sums = folder / SUMS if folder else None
    return file_digest(sums)[:12] if sums and sums.is_file() else None


def is_bulk(name: str | Path) -> bool:
    """Return whether a file is bulk, by its name below its folder."""
    return any(PurePath(name).match(pattern) for pattern in BULK)


def is_whole(folder: Path) -> bool:
    """Return whether a folder holds its bulk too."""
    return (folder / WHOLE).is_file()


def intact(folder: Path) -> Path:
    """Return a folder that is as it was written.

    Raises:
        StoreError: If it differs from its SHA256SUMS.
    """
    fault = damage(folder)
    if fault:
        raise StoreError(f"{folder}: {fault}. Have it made again: {run_again()}")
    return folder


@contextmanager
def new_folder(path: Path, finished: str, *, bulk: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `path` if the block succeeds, and removed otherwise.

    Args:
        path: The folder to create. If it is finished already, it is kept: the same name means the same recipe. If it
            is unfinished or lacks its bulk, it is replaced. Snakemake deletes declared outputs before it repeats a job.
        bulk: Whether the folder has bulk.
        finished: The file that marks a finished folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if bulk:
            (temporary / WHOLE).touch()
        write_sums(temporary)
        if not _is_finished(path, finished, bulk):
            shutil.rmtree(path, ignore_errors=True)
            try:
                temporary.rename(path)
            except OSError:
                # A job that a killed run left on another machine has finished the same folder in this moment.
                if not _is_finished(path, finished, bulk):
                    raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _is_finished(path: Path, finished: str, bulk: bool) -> bool:
    return (path / finished).is_file() and (is_whole(path) or not bulk)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        StoreError: If the path is a folder, device or link, which a file must not take the place of.
    """
    if (kind := not_to_replace(path)) is not None:
        raise StoreError(f"{path} {kind}; expected a file to write, or nothing. Name another, or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")  # machines may share a folder
    try:
        temporary.unlink(missing_ok=True)  # of a killed process with this number
        with temporary.open("xb") as file:  # never through a link that waits there
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # which the user knows; the temporary one is gone
        error.filename2 = None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keeping the order of keys."""
    write_text(path, json.dumps(value, indent=1, default=plain) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        StoreError: If the file is absent, no file, or not JSON.
    """
    kind = not_a_file(path)
    if kind is not None:
        missing = "is absent" if kind == "is missing" else f"{kind}; expected a file"
        raise StoreError(f"{path} {missing}. Create it: {run_again()}")
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:  # another process has removed it in this moment
        raise StoreError(f"{path} is absent. Create it: {run_again()}") from None
    except (ValueError, RecursionError) as error:  # no JSON, or no text at all
        raise StoreError(f"{path} is not valid JSON ({error}). Remove it and run: {run_again()}") from None
