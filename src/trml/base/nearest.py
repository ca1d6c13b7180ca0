"""TODO docstring."""

import difflib
from typing import Any


def nearest(name: str, known: Any) -> str:
    """`; did you mean ...?`, or all that is known where nothing is near."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else f"; known are {', '.join(sorted(known))}"


def expected(fault: Any) -> str:
    """What pydantic expected, without its phrases."""
    return fault["msg"].removeprefix("Input should be ").removeprefix("a valid ")
