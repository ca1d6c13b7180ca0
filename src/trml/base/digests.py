"""TODO docstring."""

import hashlib
import json
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any


def digest(recipe: Any) -> str:
    """Twelve hexadecimal digits that name a recipe (any JSON-like value or dataclass)."""
    text = json.dumps(recipe, sort_keys=True, default=plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plain(value: Any) -> Any:
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
