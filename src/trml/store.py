"""Recipes and their digests, and writing that is all or nothing.

A folder of work/ is named by the digest of its recipe: the configuration it depends on, the digests of the
folders it is made from, and the source it is made with. Such a folder is written once and never changed.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trml.errors import StoreError


def digest(recipe: Any) -> str:
    """Twelve hexadecimal digits that name a recipe (any JSON-like value or dataclass)."""
    text = json.dumps(recipe, sort_keys=True, default=_plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"a recipe cannot hold {type(value)}")


def file_digest(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@lru_cache
def versions(*packages: str) -> dict[str, str]:
    """Installed versions without their local label (`+cpu`): the label is the machine's, not the recipe's."""
    return {name: version(name).partition("+")[0] for name in packages}


# --- writing ---------------------------------------------------------------------------------------------


@contextmanager
def new_folder(path: Path, finished: str) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the block ends well, and vanishes when it does not.

    `finished` is the file that a whole folder has. A folder at `path` that has it is kept as it is, since the same name
    means the same recipe; one that lacks it (Snakemake takes declared outputs away before it runs a job again) is
    replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if not (path / finished).is_file():
            shutil.rmtree(path, ignore_errors=True)
            temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys in the order given."""
    write_text(path, json.dumps(value, indent=1, default=_plain) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; StoreError names a file that is absent or is not JSON."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise StoreError(f"{path} is absent; expected a finished file. Make it: snakemake --cores all") from None
    except json.JSONDecodeError as error:
        raise StoreError(f"{path} is damaged ({error}). Remove it and run: snakemake --cores all") from None
