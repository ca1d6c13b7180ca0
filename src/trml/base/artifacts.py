"""Recipes and their digests, and writing that is all or nothing.

A folder of work/ is named by the digest of its recipe: the configuration it depends on, the digests of the
folders it is made from, and the source it is made with. Such a folder is written once and never changed; its
SHA256SUMS, as `sha256sum` writes and checks it, says what was written.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trml.base.digests import file_digest, plain
from trml.base.errors import StoreError

SUMS = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Write the checksums of all that is in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    (folder / SUMS).write_text("".join(f"{file_digest(path)}  {path.relative_to(folder)}\n" for path in files))


def damage(folder: Path) -> str | None:
    """What is not as it was written, in words; None where all is."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return f"{SUMS} is absent or unreadable"
    if not lines:
        return f"{SUMS} is empty"
    for line in lines:
        checksum, _, name = line.partition("  ")
        path = folder / name
        if not name or not path.is_file():
            return f"{name or SUMS} is absent"
        if file_digest(path) != checksum:
            return f"{name} is not what was written (its checksum differs)"
    return None


# --- writing ---------------------------------------------------------------------------------------------


@contextmanager
def new_folder(path: Path, finished: str) -> Iterator[Path]:
    """A temporary folder that becomes `path`, checksums and all, when the block ends well, and else vanishes.

    `finished` is the file that a whole folder has. A folder at `path` that has it is kept as it is, since the same name
    means the same recipe; one that lacks it (Snakemake takes declared outputs away before it runs a job again) is
    replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        write_sums(temporary)
        if not (path / finished).is_file():
            shutil.rmtree(path, ignore_errors=True)
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys in the order given."""
    write_text(path, json.dumps(value, indent=1, default=plain) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; StoreError names a file that is absent or is not JSON."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise StoreError(f"{path} is absent; expected a finished file. Make it: snakemake --cores all") from None
    except json.JSONDecodeError as error:
        raise StoreError(f"{path} is damaged ({error}). Remove it and run: snakemake --cores all") from None
