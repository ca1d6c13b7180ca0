"""Make text from outside safe to print: a name in a file must not move the cursor, hide a line or reverse a text."""

import re
import shlex
import unicodedata
from collections.abc import Sequence

_JOINERS = "\u200c\u200d"  # letters of Persian and pictures of families need them, and they move nothing
_ESCAPED = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, formats, halves of characters, separators of lines

_LISTED = 20  # lines of one kind

_SHOWN, _LONG = 80, 300  # characters of a value, and of a name among others

_PLAIN = re.compile(r"[A-Za-z_/.][A-Za-z0-9_/.-]*")

_OF_YAML = {"null", "true", "false", "nan", "inf", "none"}


def printable(text: str) -> str:
    """Return text with every character escaped that a terminal obeys or cannot show. Line feeds and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if c not in "\n\t" else c for c in text)


def one_line(text: str) -> str:
    """Return text from a file as a part of a line: as `printable`, with line feeds and tabs escaped too."""
    return "".join(map(_escaped, text))


def few(names: Sequence[str], most: int = 12) -> str:
    """Return the first names from a file in one line of limited length, and how many more there are."""
    shown = ", ".join(one_line(name if len(name) <= _LONG else f"{name[: _LONG - 1]}…") for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def listed(lines: Sequence[str], of: str) -> str:
    """Return the first lines, indented, and the number of others."""
    more = [f"  and {len(lines) - _LISTED:,} more {of}"] if len(lines) > _LISTED else []
    return "\n".join([*(f"  {line}" for line in lines[:_LISTED]), *more])


def shortened(value: object, most: int = _SHOWN) -> str:
    """Return the `repr` of a value in one line of limited length."""
    try:
        words = repr(value)
    except ValueError:  # an integer of more digits than python writes
        words = f"an integer of {value.bit_length()} bits" if isinstance(value, int) else f"a {type(value).__name__}"
    except RecursionError:
        words = f"a {type(value).__name__} that nests deeply"
    return one_line(words if len(words) <= most else f"{words[: most - 1]}…")


def plural(noun: str, number: int) -> str:
    """Return a noun as it stands after a number: `seed` after 1, else `seeds`."""
    return noun if number == 1 else f"{noun}s"


def shell_word(text: str) -> str:
    """Return text as one word of a shell's command. It is printable: `$'...'`, of bash and zsh, where it needs that."""
    if text.isprintable():
        return shlex.quote(text)
    plain = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + "".join(c if c.isprintable() else _octal(c) for c in plain) + "'"


def value_as_written(value: object) -> str:
    """Return a value as Hydra reads it back unchanged: backslashes count before a quote, at the end and before `${`."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _OF_YAML:
            return value
        literal = re.sub(r"(\\*)\$\{", lambda match: f"{2 * match[1]}\\${{", value)  # or it refers to a key
        return "'" + re.sub(r"(\\*)('|\Z)", lambda match: 2 * match[1] + (r"\'" if match[2] else ""), literal) + "'"
    return "null" if value is None else str(value)


def setting(key: str, value: object) -> str:
    """Return an override as Hydra reads it back."""
    return f"{key}={value_as_written(value)}"


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode(errors="surrogateescape"))


def _escaped(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape").decode()
