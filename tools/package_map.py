"""Write the map of packages into docs/architecture.md, from package docstrings and real imports.

Usage: make docs. A test fails while the page and the code disagree.
"""

import ast
from pathlib import Path

import grimp

SOURCE = Path(__file__).parents[1] / "src"
PAGE = Path(__file__).parents[1] / "docs/architecture.md"
START, END = "<!-- map: written by `make docs` -->", "<!-- end of the map -->"


def listed() -> dict[str, str]:
    """Return the packages that the docstring of trml lists, in order, with the words beside them."""
    text = ast.get_docstring(ast.parse((SOURCE / "trml/__init__.py").read_text())) or ""
    rows = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith("    ")]
    return {name: words for name, words in rows}


def summary(package: str) -> str:
    """Return the first sentence of the docstring of a package or module of trml."""
    path = SOURCE / "trml" / package.replace(".", "/")
    module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split())


def imports(graph: grimp.ImportGraph, package: str, others: list[str]) -> list[str]:
    """Return which of the other packages the modules of a package import."""
    inside = {f"trml.{package}", *graph.find_descendants(f"trml.{package}")}
    reached = {name for module in inside for name in graph.find_modules_directly_imported_by(module)}
    return [name for name in others if name != package and any(f"{r}.".startswith(f"trml.{name}.") for r in reached)]


def package_map() -> str:
    """Return the map as a table of Markdown: one row a package, the highest layer first."""
    graph, names = grimp.build_graph("trml", cache_dir=None), list(listed())
    rows = ["| package | purpose | imports |", "|---|---|---|"]
    for name in reversed(names):
        reached = imports(graph, name, names)
        rows.append(f"| `{name}` | {summary(name)} | {', '.join(reached) or 'nothing'} |")
    return "\n".join(rows)


def with_map(page: str) -> str:
    """Return the page with the map between its two marks replaced."""
    before, after = page.split(START, maxsplit=1)[0], page.split(END)[1]
    return f"{before}{START}\n{package_map()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_map(PAGE.read_text()))
