"""The source that a recipe runs with: which modules, and their digest.

Nothing is imported to find out, since importing a method would import torch.
"""

import ast
import hashlib
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

from trml.base.digests import digest
from trml.base.errors import StoreError
from trml.base.modules import module_file

# Packages that move numbers about but make none: editing them must not retrain anything.
EXEMPT = ("trml.base", "trml.config", "trml.planning", "trml.cli")


def source_digest(*modules: str) -> str:
    """Digest of the source that runs when `modules` are imported: they and what they import, followed as long as it is
    trml's or lies outside the installed libraries; infrastructure left out, comments, docstrings and layout taken out.
    """
    return digest({name: _normal_form(name) for name in sorted(_closure(modules))})


def _closure(modules: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    queue = list(modules)
    while queue:
        name = queue.pop()
        if name in found or name == "trml" or name.startswith(tuple(f"{package}." for package in EXEMPT)):
            continue
        if module_file(name) is None:
            raise StoreError(f"module {name} cannot be found; expected it on the import path")
        found.add(name)
        queue += [imported for imported in _imports(name) if _is_project_source(imported)]
    return found


@lru_cache
def _tree(name: str) -> ast.Module:
    path = module_file(name)
    assert path is not None
    return ast.parse(path.read_text())


@lru_cache
def _imports(name: str) -> tuple[str, ...]:
    """Modules that it imports (and some names that are none), wherever the import stands."""
    found = []
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, node.level, node.module)
            # `from package import module` imports the module, `from module import name` does not.
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(found)


# Installed libraries are in a recipe by their versions (store.versions), not by their source.
_LIBRARIES = tuple(Path(sysconfig.get_path(key)).resolve() for key in ("stdlib", "platstdlib", "purelib", "platlib"))


@lru_cache
def _is_project_source(name: str) -> bool:
    if name.partition(".")[0] in sys.stdlib_module_names:
        return False
    path = module_file(name)
    if path is None:
        return False
    ours = name.partition(".")[0] == "trml"
    return ours or not any(path.resolve().is_relative_to(library) for library in _LIBRARIES)


def _absolute(importer: str, level: int, module: str | None) -> str:
    """The module that `from <level dots><module> import ...` in `importer` names."""
    if level == 0:
        return module or ""
    path = module_file(importer)
    drop = level - 1 if path is not None and path.name == "__init__.py" else level
    base = importer.split(".")[: importer.count(".") + 1 - drop]
    return ".".join([*base, *([module] if module else [])])


@lru_cache
def _normal_form(name: str) -> str:
    tree = _tree(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(repr(_shape(tree)).encode()).hexdigest()


def _shape(node: object) -> object:
    """A syntax tree as nested tuples without its empty fields, which come and go between versions of python."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return (type(node).__name__, *((name, _shape(value)) for name, value in fields))
    return [_shape(item) for item in node] if isinstance(node, list) else node
