"""Parse numbers that are written in files from outside, by one grammar.

    number = [sign] (digits ["." [digits]] | "." digits) [("e" | "E") [sign] digits]
    digits = "0" to "9"

python's own functions also take other scripts' digits, underscores, `inf` and `nan`, and integers of any length.
"""

import re
from math import isfinite

SECONDS = 1_000_000  # of a clip or a time in it: eleven days

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_LONGEST = 64  # characters; 17 digits are all that a float holds

_COUNT = re.compile(r"\d{1,18}", re.ASCII)


def number(text: str) -> float | None:
    """Return a finite number, None for anything else. Blanks around it are ignored."""
    text = text.strip(" \t")
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if isfinite(value) else None


def count(text: str) -> int | None:
    """Return a number of up to 18 digits without sign, None for anything else. Blanks around it are ignored."""
    text = text.strip(" \t")
    return int(text) if _COUNT.fullmatch(text) else None


def seconds(text: str) -> float | None:
    """Return a time in seconds; None unless it is a number from 0 to eleven days."""
    value = number(text)
    return value if value is not None and 0 <= value <= SECONDS else None
