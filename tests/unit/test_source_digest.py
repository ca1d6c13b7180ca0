"""Computing code takes classes, functions and field types from exempt packages, never a value."""

import ast
from pathlib import Path

import pytest

from conftest import ROOT
from trml.base.modules import module_file
from trml.planning.source_digest import EXEMPT, closure

SOURCE = ROOT / "src"
FIELDS = "trml.base.fields"  # its assignments are types, which a test below holds it to


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_exempt(name: str) -> bool:
    return name == "trml" or name.startswith(EXEMPT)


COMPUTING = [
    path
    for path in sorted((SOURCE / "trml").rglob("*.py"))
    if not is_exempt(module_name(path)) and path.stem != "__main__"
]


def callables_of(module: str) -> set[str]:
    """The classes and functions that a module defines."""
    path = module_file(module)
    assert path is not None, module
    definitions = ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, definitions)}


@pytest.mark.parametrize("path", COMPUTING, ids=module_name)
def test_no_value_is_taken_from_an_exempt_package(path):
    taken = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            taken += [alias.name for alias in node.names if is_exempt(alias.name)]
        if isinstance(node, ast.ImportFrom) and is_exempt(node.module or "") and node.module != FIELDS:
            # __version__ is written down beside results, which are not named by it.
            allowed = {"__version__"} if node.module == "trml" else callables_of(node.module)
            submodules = {a.name for a in node.names if node.module == "trml" and not is_exempt(f"trml.{a.name}")}
            taken += [f"{node.module}.{alias.name}" for alias in node.names if alias.name not in allowed | submodules]
    assert taken == []


def test_the_shared_fields_are_types():
    path = module_file(FIELDS)
    assert path is not None
    values = [node.value for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    heads = {
        ast.unparse(v.value if isinstance(v, ast.Subscript) else v.func if isinstance(v, ast.Call) else v)
        for v in values
    }
    assert heads == {"Annotated", "ConfigDict"}


def test_a_library_of_another_environment_is_no_source_of_the_project(monkeypatch, tmp_path):
    """As a user's own site-packages, or what --system-site-packages brings: it is in a recipe by its version."""
    for folder in ("lib/site-packages", "beside"):
        (tmp_path / folder).mkdir(parents=True)
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    (tmp_path / "lib/site-packages/some_library.py").write_text("X = 1\n")
    (tmp_path / "beside/some_helper.py").write_text("X = 1\n")
    (tmp_path / "beside/some_method.py").write_text("import some_helper\nimport some_library\n")
    assert closure(("some_method",)) == {"some_method", "some_helper"}
