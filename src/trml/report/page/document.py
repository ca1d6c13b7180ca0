"""What every page is: one HTML text with its style sheet and scripts, which refers to no other file."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from trml.report.looks import DARK, FAMILIES, LIGHT
from trml.report.page import numbers

_HERE = Path(__file__).parent
_FILTERS = ("score", "signed", "percent", "typeset", "scored", "sort_key", "listed", "count", "counted")


def document(template: str, scripts: Sequence[str], modules: Sequence[str] = (), **context: Any) -> str:
    """Return a page from its template, which is handed `style`, `scripts`, `modules` and `policy` too.

    Args:
        template: Its file name.
        scripts: In order. Only these may run, and modules.
        modules: Scripts that are ECMAScript modules.
        context: What the template names.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in _FILTERS:
        environment.filters[name] = getattr(numbers, name)
    of_page = {
        "style": Markup(_style()),
        "scripts": [Markup(each) for each in scripts],
        "modules": [Markup(each) for each in modules],
        "policy": _policy([*scripts, *modules]),
    }
    return environment.get_template(template).render(**context, **of_page)


def script(name: str) -> str:
    """Return a script of this folder."""
    return (_HERE / name).read_text()


def _style() -> str:
    """Return the style sheet with the colours of both lights."""
    names = {name: f"--{name}" for name in LIGHT}
    light, dark = (
        "".join(f"{names[name]}:{colours[name]};" for name in names)
        + "".join(f"--f-{family.name}:{getattr(family, kind)};" for family in FAMILIES.values())
        for colours, kind in ((LIGHT, "light"), (DARK, "dark"))
    )
    themes = (
        f":root{{{light}color-scheme:light}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-light=light]){{{dark}color-scheme:dark}}}}\n"
        f"@media screen{{:root[data-light=dark]{{{dark}color-scheme:dark}}}}\n"
    )
    return themes + (_HERE / "page.css").read_text()


def _policy(scripts: Sequence[str]) -> str:
    """Return the content security policy: nothing is loaded, and no script runs but these."""
    digests = (hashlib.sha256(each.encode()).digest() for each in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
