"""What a source file says for digests: its syntax without words, and what it imports.

Every process of a run asks this of the same hundreds of files, and parsing them takes it most of a second. So a run
writes down what it found (work/sources.json), by the content of a file. Content that is not known there is parsed.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from trml.base.artifacts import write_text
from trml.base.checksums import recall
from trml.base.modules import module_file

KNOWN = Path("work/sources.json")

_found: dict[str, "Source"] = {}  # in this process, by content


class Source(NamedTuple):
    """A module's source.

    Attributes:
        form: Digest of its syntax tree, without docstrings and the words of errors that are raised.
        imports: The modules that it imports anywhere, and some names that are no modules.
    """

    form: str
    imports: tuple[str, ...]


@cache
def source(name: str) -> Source:
    """Return the source of a module that exists."""
    path = module_file(name)
    assert path is not None
    content = path.read_bytes()
    is_package = path.name == "__init__.py"
    key = hashlib.sha256(b"\0".join([_reader(), name.encode(), str(is_package).encode(), content])).hexdigest()
    _found[key] = _known().get(key) or _parsed(name, content, is_package)
    return _found[key]


def write_down() -> None:
    """Write what this process found, for others. Where nothing can be written, each of them parses the files itself."""
    if _found.keys() - _known().keys():
        try:
            write_text(KNOWN, json.dumps(_found) + "\n")
        except OSError:
            return


@cache
def _reader() -> bytes:
    """Return what decides how a file is read: this module, and the version of Python."""
    return Path(__file__).read_bytes() + sys.version.encode()


@cache
def _known() -> Mapping[str, Source]:
    try:
        return {key: Source(str(form), tuple(map(str, imports))) for key, (form, imports) in recall(KNOWN).items()}
    except (ValueError, TypeError):
        return {}


def _parsed(name: str, content: bytes, is_package: bool) -> Source:
    tree = ast.parse(content)
    imports = _imports(tree, name, is_package)
    return Source(hashlib.sha256(repr(_shape(_without_words(tree))).encode()).hexdigest(), imports)


def _imports(tree: ast.Module, name: str, is_package: bool) -> tuple[str, ...]:
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, is_package, node.level, node.module)
            # `from package import module` imports the module, `from module import name` does not.
            imported += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(imported)


def _absolute(importer: str, is_package: bool, level: int, module: str | None) -> str:
    """Return the module that `from <level dots><module> import ...` names in `importer`."""
    if level == 0:
        return module or ""
    drop = level - 1 if is_package else level
    base = importer.split(".")[: importer.count(".") + 1 - drop]
    return ".".join([*base, *([module] if module else [])])


def _without_words(tree: ast.Module) -> ast.Module:
    """Remove docstrings and the words of errors from a tree."""
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
    return tree


def _shape(node: object) -> object:
    """Return a syntax tree as nested tuples without empty fields, which differ between versions of python."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return (type(node).__name__, *((name, _shape(value)) for name, value in fields))
    return [_shape(item) for item in node] if isinstance(node, list) else node
