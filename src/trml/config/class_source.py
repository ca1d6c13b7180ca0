"""Read a method's class from its source. Importing it would import torch, which planning does without."""

import ast
from functools import cache
from typing import Any, NamedTuple

from trml.base.fields import require
from trml.base.modules import module_file


class Located(NamedTuple):
    """A class in its source: the module's name and the node."""

    module: str
    node: ast.ClassDef


@cache
def lineage(target: str) -> tuple[Located, ...]:
    """Return a class and its bases, nearest first, as far as their sources are found.

    Args:
        target: A dotted path: `trml.methods.trml.TRML`.

    Raises:
        ValueError: If the module or the class does not exist.
    """
    module, _, name = target.rpartition(".")
    path = module_file(module)
    require(path is not None, f"target {target!r}: no module {module!r} can be found")
    located = _find(module, name)
    if located is None:
        raise ValueError(f"target {target!r}: {path} has no class {name!r}")
    line, queue = [], [located]
    while queue:
        current = queue.pop(0)
        line.append(current)
        bases = (_find(current.module, base.id) for base in current.node.bases if isinstance(base, ast.Name))
        queue += [base for base in bases if base is not None]
    return tuple(line)


def class_value(target: str, name: str) -> Any:
    """Return a class attribute that is a literal, from the nearest class that sets it; None if none does."""
    for _, node in lineage(target):
        value = _assigned(node, name)
        if value is not None:
            return ast.literal_eval(value)
    return None


def class_mapping(target: str, name: str) -> dict[str, str]:
    """Return a class attribute that is a dictionary, key -> value as written; empty if no class sets it."""
    for _, node in lineage(target):
        value = _assigned(node, name)
        if isinstance(value, ast.Dict):
            keys = [ast.literal_eval(key) for key in value.keys if key is not None]
            return {key: ast.unparse(item) for key, item in zip(keys, value.values, strict=True)}
    return {}


def keyword_arguments(target: str) -> dict[str, tuple[str, bool]]:
    """Return the keyword-only arguments of `__init__`: name -> (annotation as written, whether it has no default)."""
    for _, node in lineage(target):
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                arguments = zip(item.args.kwonlyargs, item.args.kw_defaults, strict=True)
                return {
                    a.arg: (ast.unparse(a.annotation) if a.annotation else "Any", default is None)
                    for a, default in arguments
                }
    return {}


def _assigned(node: ast.ClassDef, name: str) -> ast.expr | None:
    for item in node.body:
        targets = item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return getattr(item, "value", None)
    return None


@cache
def _tree(module: str) -> ast.Module | None:
    path = module_file(module)
    return None if path is None else ast.parse(path.read_text())


def _find(module: str, name: str) -> Located | None:
    """Return the class that `name` means in a module: defined there, or imported from another by `from ... import`."""
    tree = _tree(module)
    for node in tree.body if tree else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            return Located(module, node)
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _find(node.module, alias.name)
    return None
