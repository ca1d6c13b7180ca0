"""Digest the source that a recipe runs: its root modules and everything they import.

Nothing is imported to find out, since importing a method imports torch. Comments, docstrings, layout and the words of
an error that is raised do not count: they decide no number.
Exempt are whole packages that move files about but make no number (EXEMPT). Computing code takes classes, functions and
field types from them, never a value; a test holds it to that.
"""

import sys
import sysconfig
from functools import cache
from pathlib import Path

from trml.base.digests import digest
from trml.base.errors import StoreError
from trml.base.modules import OWN, module_file
from trml.planning.sources import source

EXEMPT = ("trml.base", "trml.config", "trml.planning", "trml.cli")


def source_digest(*modules: str) -> str:
    """Return the digest of the source that runs when `modules` are imported.

    Raises:
        StoreError: If a root module does not exist.
    """
    return digest({name: normal_form(name) for name in sorted(closure(modules))})


@cache
def closure(modules: tuple[str, ...]) -> frozenset[str]:
    """Return the modules and what they import: trml's own, and others outside the installed libraries."""
    reached: set[str] = set()
    queue = list(modules)
    while queue:
        name = queue.pop()
        if name in reached or _is_exempt(name):
            continue
        if module_file(name) is None:
            raise StoreError(f"module {name} cannot be found; expected it on the import path")
        reached.add(name)
        queue += [imported for imported in (*_parents(name), *source(name).imports) if _is_project_source(imported)]
    return frozenset(reached)


def normal_form(name: str) -> str:
    """Return the digest of a module's syntax tree, without docstrings and the words of errors."""
    return source(name).form


def _is_exempt(name: str) -> bool:
    return name == OWN or name in EXEMPT or name.startswith(tuple(f"{package}." for package in EXEMPT))


def _parents(name: str) -> list[str]:
    """Return the packages of a module, whose `__init__.py` python runs first."""
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


# Installed libraries are in a recipe by their versions (base.digests.versions), not by their source. They may lie in
# another environment's folder: the user's own, or that of the Python a venv was made from with --system-site-packages.
_INSTALLED = ("site-packages", "dist-packages")
_LIBRARIES = tuple(Path(sysconfig.get_path(key)).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib"))


@cache
def _is_project_source(name: str) -> bool:
    if name.partition(".")[0] in sys.stdlib_module_names:
        return False
    path = module_file(name)
    if path is None:
        return False
    if name.partition(".")[0] == OWN:
        return True
    path = path.resolve()
    return not any(part in _INSTALLED for part in path.parts) and not any(map(path.is_relative_to, _LIBRARIES))
