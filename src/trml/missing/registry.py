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
    return {name: pattern for name, (pattern, _) in _found(modalities).items()}


def pattern_module(name: str, modalities: Sequence[str]) -> str:
    """Return the module that a pattern comes from.

    Raises:
        ValueError: If these modalities have no such pattern; it names the nearest.
    """
    missing_pattern(name, modalities)
    return _found(tuple(modalities))[name][1]


def missing_pattern(name: str, modalities: Sequence[str]) -> Missing:
    """Return a pattern by name.

    Raises:
        ValueError: If these modalities have no such pattern; it names the nearest.
    """
    known = known_patterns(tuple(modalities))
    if name not in known:
        raise ValueError(f"missing pattern {name!r} is unknown for {', '.join(modalities)}{nearest(name, known)}")
    return known[name]


@lru_cache
def _found(modalities: tuple[str, ...]) -> dict[str, tuple[Missing, str]]:
    """Return every pattern with its module, by name. Of two with one name the later module's counts."""
    modules = components("missing.patterns").values()
    return {p.name: (p, module) for module in modules for p in import_module(module).patterns(modalities)}
