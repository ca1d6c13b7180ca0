"""Name recipes and files by digest, and packages by version."""

import hashlib
import json
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trml.base.extras import lacking


def digest(recipe: Any) -> str:
    """Return twelve hexadecimal digits that name a recipe: a JSON-like value, or dataclasses within one."""
    text = json.dumps(recipe, sort_keys=True, default=plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plain(value: Any) -> Any:
    """Return a dataclass as a dictionary, for `json.dumps`; raise TypeError for anything else."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"a recipe cannot hold {type(value)}")


def file_digest(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@cache
def versions(*packages: str) -> dict[str, str]:
    """Return installed versions by package, without local labels such as `+cpu`, which differ between machines.

    Raises:
        PackageMissing: If one is not installed.
    """
    return {name: _version(name) for name in packages}


def _version(package: str) -> str:
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        raise lacking(package) from None
