"""Suggest the nearest known name, and word what pydantic expected."""

import difflib
from collections.abc import Iterable
from typing import Any

from trml.base.printable import few, shortened

# The time of a comparison grows with the names and with the square of their length. No name that is meant is longer.
_COMPARED, _LONGEST = 2_000, 100
_LISTED = 40


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or the first of the known names if none is near.

    Of a file's thousands of names, or names of thousands of characters, some are not compared.
    """
    names = sorted(known)
    compared = [each for each in names if len(each) <= _LONGEST][:_COMPARED] if len(name) <= _LONGEST else []
    match = difflib.get_close_matches(name, compared, n=1, cutoff=0.5)
    return f"; did you mean {shortened(match[0])}?" if match else f"; known are {few(names, _LISTED) or 'none'}"


def ended(words: str) -> str:
    """Return words with a full stop, unless they end in a question: another sentence follows."""
    return words if words.endswith("?") else f"{words}."


def expected(fault: Any) -> str:
    """Return what pydantic expected, without its set phrases; `fault` is an entry of `ValidationError.errors()`."""
    if fault["type"] == "string_pattern_mismatch":
        return _pattern_in_words(fault["ctx"]["pattern"])
    return fault["msg"].removeprefix("Input should be ").removeprefix("a valid ").removeprefix("String should have ")


def _pattern_in_words(pattern: str) -> str:
    from pydantic import TypeAdapter  # which a verb's help does without

    from trml.base.fields import Label, Name

    words = {
        Name: "lower-case letters, digits and _, a letter first",
        Label: "a line without | < > and `, that does not start with = + - or @",
    }
    known = {TypeAdapter(kind).json_schema()["pattern"]: said for kind, said in words.items()}
    return known.get(pattern, f"a text that matches {pattern}")
