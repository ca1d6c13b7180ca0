"""The site of docs/ (make site): these pages, the README's neighbours, and an API reference from docstrings."""

import importlib.util
import os
import re
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx

from trml import __version__

DOCS = Path(__file__).parent
GENERATED = DOCS / "_generated"  # ignored by git, as is index.md
# Pages of the repository outside docs/, and what the site calls them.
BESIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "config/README.md": "configuration.md",
    "results/pantomime_full/cards/pantomime.md": "pantomime_card.md",
}

project, author, version = "trml", "the trml developers", __version__
project_copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["README.md"]  # index.md has it
root_doc = "index"

# Pages are Markdown that GitHub shows as it is, so no directive of MyST stands in them.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# Fences without a language hold shell commands and their output.
highlight_language = "text"

html_theme = "pydata_sphinx_theme"
html_title = f"trml {__version__}"
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "header_links_before_dropdown": 6,
}
html_show_sourcelink = False
html_copy_source = False

autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": False}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autosummary_generate = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # an attribute that a docstring describes is no second object beside the field
default_role = "code"  # docstrings have names in single backticks

# The API reference, in its order. Modules that do not exist are left out.
PUBLIC = {
    "From Python": ["trml.api.result", "trml.api.experiment", "trml.api.predictor"],
    "Bring your own": ["trml.methods.contract", "trml.corpora.contract", "trml.features.encoders.contract"],
    "What may be missing": ["trml.missing.modalities", "trml.missing.pattern", "trml.missing.conditions"],
    "Scores and statistics": [
        "trml.evaluation.contract",
        "trml.evaluation.statistics",
        "trml.evaluation.verdicts",
        "trml.evaluation.metrics.common.metric",
    ],
    "Trainings": ["trml.training.contract", "trml.training.store", "trml.training.model_folder"],
    "Results": ["trml.report.contract", "trml.report.trace", "trml.report.verify"],
    "Fields of configurations": ["trml.base.fields", "trml.base.errors"],
}


def relinked(text: str, home: Path, place: Path) -> str:
    """Return a page's text with its links as seen from where the site has it.

    Args:
        text: The page.
        home: Its folder in the repository.
        place: Its folder on the site; pages of the repository outside docs/ are in `_generated`.
    """

    def moved(link: re.Match[str]) -> str:
        target = (home / link["path"]).resolve()
        page = BESIDE.get(str(target.relative_to(DOCS.parent))) if target.is_relative_to(DOCS.parent) else None
        return f"]({os.path.relpath(GENERATED / page if page else target, place)}{link['anchor'] or ''})"

    return re.sub(r"\]\((?!\w+:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)", moved, text)


def contents() -> dict[Path, str]:
    """Return the first page, docs/README.md, and a page for each of its headings: the entries of the site's bar."""
    text = (DOCS / "README.md").read_text()
    pages = {}
    for group in text.split("\n## ")[1:]:
        caption, _, body = group.partition("\n")
        linked = relinked(body, DOCS, GENERATED)
        links = re.findall(r"^- \[.*?\]\((.*?\.(?:md|rst))\)", linked, re.MULTILINE)
        page = GENERATED / f"{caption.lower().replace(' ', '_')}.md"
        pages[page] = f"# {caption}\n\n{linked.strip()}\n\n{tree(links)}"
    return {DOCS / "index.md": f"{text}\n{tree(str(page.relative_to(DOCS)) for page in pages)}", **pages}


def tree(links: Iterable[str]) -> str:
    """Return the directive that puts pages below another."""
    return "\n".join(["```{toctree}", ":hidden:", "", *links, "```"]) + "\n"


def reference() -> str:
    """Return the page that lists the public modules, each with a page that autosummary makes."""
    groups = {title: [module for module in modules if _exists(module)] for title, modules in PUBLIC.items()}
    lines = ["API reference", "=============", ""]
    lines += ["From the docstrings of the modules that other code may import. Everything else may change"]
    lines += ["without notice (:doc:`versions and deprecation </versions>`).", ""]
    for title, modules in groups.items():
        if modules:
            lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree: api", ""]
            lines += [*(f"   {module}" for module in modules), ""]
    return "\n".join(lines)


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of its package
        return False


def write(path: Path, text: str) -> None:
    """Write a generated page, unless it is the same: its time says whether it is read again."""
    path.parent.mkdir(exist_ok=True)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def indented_as_literal(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show an indented block after an empty line as it stands: docstrings list files and columns so."""
    shown: list[str] = []
    depth = 0  # of the last line that was not empty
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and shown and not shown[-1].strip() and indent >= depth + 4:
            shown += [" " * depth + "::", ""]
            depth = indent
        elif line.strip():
            depth = min(depth, indent) if shown and shown[-1].strip() == "" else indent
        shown.append(line)
    lines[:] = shown


def relink(app: Sphinx, name: str, source: list[str]) -> None:
    """Let a page's links to pages outside docs/ lead to those of the site."""
    if not name.startswith(GENERATED.name):
        source[0] = relinked(source[0], (DOCS / name).parent, (DOCS / name).parent)


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx looks for pages."""
    listed = (DOCS / "README.md").read_text()
    for path, name in BESIDE.items():
        page = DOCS.parent / path
        text = relinked(page.read_text(), page.parent, GENERATED)
        write(GENERATED / name, text if path in listed else f"---\norphan: true\n---\n{text}")
    write(GENERATED / "api.rst", reference())
    for page, text in contents().items():
        write(page, text)
    for stub in (GENERATED / "api").glob("*.rst"):  # of modules that an earlier build had
        if not any(stub.stem in modules for modules in PUBLIC.values()):
            stub.unlink()
    app.connect("source-read", relink)
    app.connect("autodoc-process-docstring", indented_as_literal, priority=100)  # before napoleon
