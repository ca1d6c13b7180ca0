"""Suggest the nearest known name, and word what pydantic expected."""

import difflib
from collections.abc import Iterable
from typing import Any

from trml.base.printable import one_line, shortened


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or the list of known names if none is near."""
    names = sorted(known)
    match = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {shortened(match[0])}?" if match else f"; known are {one_line(', '.join(names)) or 'none'}"


def ended(words: str) -> str:
    """Return words with a full stop, unless they end in a question: another sentence follows."""
    return words if words.endswith("?") else f"{words}."


def expected(fault: Any) -> str:
    """Return what pydantic expected, without its set phrases; `fault` is an entry of `ValidationError.errors()`."""
    return fault["msg"].removeprefix("Input should be ").removeprefix("a valid ").removeprefix("String should have ")
