"""Digest the source that a recipe runs: its root modules and everything they import.

Nothing is imported to find out, since importing a method imports torch. Comments, docstrings, layout and the words of
an error that is raised do not count: they decide no number.
Exempt are whole packages that move files about but make no number (EXEMPT). Computing code takes classes, functions and
field types from them, never a value; a test holds it to that.
"""

import ast
import hashlib
import sys
import sysconfig
from functools import cache
from pathlib import Path

from trml.base.digests import digest
from trml.base.errors import StoreError
from trml.base.modules import OWN, module_file

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
        queue += [imported for imported in (*_parents(name), *_imports(name)) if _is_project_source(imported)]
    return frozenset(reached)


@cache
def normal_form(name: str) -> str:
    """Return the digest of a module's syntax tree, without docstrings and the words of errors."""
    tree = _tree(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args, node.exc.keywords = [], []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(repr(_shape(tree)).encode()).hexdigest()


def _is_exempt(name: str) -> bool:
    return name == OWN or name in EXEMPT or name.startswith(tuple(f"{package}." for package in EXEMPT))


@cache
def _tree(name: str) -> ast.Module:
    path = module_file(name)
    assert path is not None
    return ast.parse(path.read_text())


def _parents(name: str) -> list[str]:
    """Return the packages of a module, whose `__init__.py` python runs first."""
    parts = name.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


@cache
def _imports(name: str) -> tuple[str, ...]:
    """Return the modules that a module imports anywhere in its source, and some names that are no modules."""
    imported = []
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, node.level, node.module)
            # `from package import module` imports the module, `from module import name` does not.
            imported += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(imported)


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


def _absolute(importer: str, level: int, module: str | None) -> str:
    """Return the module that `from <level dots><module> import ...` names in `importer`."""
    if level == 0:
        return module or ""
    path = module_file(importer)
    drop = level - 1 if path is not None and path.name == "__init__.py" else level
    base = importer.split(".")[: importer.count(".") + 1 - drop]
    return ".".join([*base, *([module] if module else [])])


def _shape(node: object) -> object:
    """Return a syntax tree as nested tuples without empty fields, which differ between versions of python."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return (type(node).__name__, *((name, _shape(value)) for name, value in fields))
    return [_shape(item) for item in node] if isinstance(node, list) else node
