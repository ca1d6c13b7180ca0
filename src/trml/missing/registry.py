"""The missing patterns by name, found by scanning `missing/patterns`."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module

from trml.base.modules import components
from trml.base.nearest import nearest
from trml.missing.pattern import Missing


@lru_cache
def known_patterns(modalities: tuple[str, ...]) -> dict[str, Missing]:
    """Return every pattern of these modalities, by name."""
    every = [
        p for module in components("missing.patterns").values() for p in import_module(module).patterns(modalities)
    ]
    return {pattern.name: pattern for pattern in every}


def missing_pattern(name: str, modalities: Sequence[str]) -> Missing:
    """Return a pattern by name.

    Raises:
        ValueError: If these modalities have no such pattern; it names the nearest.
    """
    known = known_patterns(tuple(modalities))
    if name not in known:
        raise ValueError(f"missing pattern {name!r} is unknown for {', '.join(modalities)}{nearest(name, known)}")
    return known[name]
