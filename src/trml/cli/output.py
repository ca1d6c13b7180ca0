"""How verbs print: data to stdout, as words or as one JSON document; progress and remarks to stderr."""

import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, TextIO

from trml import __version__
from trml.base.printable import one_line, plural, printable

SCHEMA = 1  # within it fields are only added
_STYLES = {
    "green": ("supported", "better", "identical", "done", "running"),
    "red": ("refuted", "worse", "failed", "differs", "NOT"),
    "yellow": ("undecided", "too little data", "not accepted"),
}


def document(kind: str, value: Any) -> dict[str, Any]:
    """Return the JSON document of a dataclass or mapping: `trml`, `kind`, `schema` and its fields (schemas.py)."""
    fields = asdict(value) if is_dataclass(value) and not isinstance(value, type) else dict(value)
    return {"trml": __version__, "kind": kind, "schema": SCHEMA, **{k: _finite(v) for k, v in fields.items()}}


def _finite(value: Any) -> Any:
    """Return a value with null for numbers that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def emit(kind: str, value: Any, lines: Iterable[str], *, as_json: bool, indent: int | None = 1) -> None:
    """Print a value: as one JSON document, or as the lines that say it in words.

    Results may be somebody else's: no character in a line is obeyed by a terminal.
    """
    if as_json:
        print(json.dumps(document(kind, value), indent=indent, default=str), flush=True)
        return
    safe = (type(line)(printable(line)) for line in lines)
    if is_live(sys.stdout):
        _draw(safe)
    else:
        for line in safe:
            print(line)


class Header(str):
    """A line that names columns, which a terminal shows in bold."""


def _draw(lines: Iterable[str]) -> None:
    """Print lines on a terminal, with colours that repeat what the words say."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    for line in lines:
        text = Text(line, style="bold" if isinstance(line, Header) else "")
        for style, words in _STYLES.items():
            text.highlight_words(words, style)
        console.print(text)


def aligned(rows: Sequence[Sequence[Any]], header: Sequence[str] = (), right: Iterable[int] = ()) -> list[str]:
    """Return rows as lines with aligned columns, the last column as long as it is.

    Args:
        rows: Entries; None is empty.
        header: Names of the columns, none for no header.
        right: Numbers of the columns that are flush right.
    """
    every = [list(header)] if header else []
    every += [["" if entry is None else one_line(str(entry)) for entry in row] for row in rows]
    if not every:
        return []
    widths = [max(len(row[i]) for row in every) for i in range(len(every[0]))]
    flush = set(right)
    lines = [
        "  ".join(e.rjust(w) if i in flush else e.ljust(w) for i, (e, w) in enumerate(zip(row, widths, strict=True)))
        for row in every
    ]
    return [Header(line.rstrip()) if header and i == 0 else line.rstrip() for i, line in enumerate(lines)]


def number(value: float | None, places: int = 3, sign: bool = False) -> str:
    """Return a number as tables of the command show it, empty for none."""
    text = "" if value is None else f"{value:{'+' if sign else ''}.{places}f}"
    return text[1:] if text[:1] in ("+", "-") and float(text) == 0 else text  # what rounds to zero has no sign


def interval(value: float | None, low: float | None, high: float | None, places: int = 3, sign: bool = False) -> str:
    """Return `0.434 [0.419, 0.449]`, without an interval where there is none."""
    if value is None:
        return "failed"
    ends = "" if low is None or high is None else f" [{number(low, places, sign)}, {number(high, places, sign)}]"
    return number(value, places, sign) + ends


def paragraph(words: str, first: str = "", rest: str = "   ") -> list[str]:
    """Return a sentence or several as lines: as wide as a terminal, one line where there is none to fit."""
    if not sys.stdout.isatty():
        return [first + words]
    width = max(20, min(100, shutil.get_terminal_size().columns))
    return textwrap.wrap(words, width, initial_indent=first, subsequent_indent=rest if first else "")


def moved(value: Any) -> str:
    """Return a setting's value in one line of limited length."""
    text = written(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def counted(number: int, noun: str) -> str:
    """Return `1 seed` or `5 seeds`."""
    return f"{number:,} {plural(noun, number)}"


def written(value: Any) -> str:
    """Return a setting's value as a configuration has it."""
    return json.dumps(value) if isinstance(value, Mapping | list | bool) or value is None else str(value)


def is_live(stream: TextIO) -> bool:
    """Return whether lines may be rewritten and coloured: on a terminal, unless NO_COLOR or TERM=dumb forbid it."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def clock(seconds: float) -> str:
    """Return `m:ss`, or `h:mm:ss`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def left(seconds: float | None) -> str:
    """Return the time left in words, empty if it is unknown."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f"about {minutes} min left" if minutes < 120 else f"about {minutes / 60:.1f} h left"
