"""Find names that cannot be told apart by looking at them, and what looks like a number or an empty cell."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from trml.sources.formats.numbers import number

# Characters that show nothing, beside controls and formats: joiners and fillers of Hangul and Khmer, selectors of
# variants, and a pattern of braille without dots.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u058a\ufe58\ufe63\uff0d"), "-")
_QUOTES = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u0060\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033"), '"'),
}

# Letters of Greek and Cyrillic that look the same as one of Latin: capitals, then small ones.
_LETTERS = str.maketrans(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03c1"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d",
    "ABEZHIKMNOPTYXovpABEKMHOPCTYXIJSaeopcyxijshdqw",
)

_ALIKE: dict[int, str | int | None] = {**_DASHES, **_QUOTES, **_LETTERS}

_UNKNOWN = {"na", "n/a", "#n/a", "<na>", "null", "none", "nil", "missing", "unknown", "?", "-"}

_LONGEST = 1000

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)


def seen(text: str) -> str:
    """Return what can be seen of a text: without characters that show nothing, with single blanks."""
    return " ".join("".join(c for c in text if c.isspace() or _shows(c)).split())


def shows(text: str) -> bool:
    """Return whether anything can be seen of a text."""
    return any(not c.isspace() and _shows(c) for c in text)


def _shows(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Cc") and not _UNSEEN.match(character)


def look(name: str) -> str:
    """Return a key that names have in common if they look alike.

    Forms of one character, capitals, characters that show nothing, kinds of blanks, dashes, quotes and digits, and
    letters of Greek and Cyrillic like those of Latin make no difference. A name of thousands of characters is
    its own key.
    """
    if len(name) > _LONGEST:
        return name
    if name.isascii():
        return seen(name.translate(_ALIKE)).casefold()
    plain = unicodedata.normalize("NFKC", seen(name)).translate(_ALIKE)
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)
    return unicodedata.normalize("NFKC", seen(digits).casefold())


def groups(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of two names or more that look alike, in order."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[look(name)].append(name)
    return [group for group in alike.values() if len(group) > 1]


def means_unknown(cell: str) -> bool:
    """Return whether a cell is a usual word for a value that is not known."""
    return cell.lower() in _UNKNOWN


def other_number(cell: str) -> str | None:
    """Return what is to be written for a number in another notation, such as `-1,5`; None for anything else."""
    if len(cell) > 64 or number(cell) is not None:
        return None
    plain = cell.translate(_DASHES)
    if _THOUSANDS.fullmatch(plain):
        once = plain.count(",") == 1
        return f"with a comma; write {plain.replace(',', '')}" + (f", or {plain.replace(',', '.')}" if once else "")
    point = plain.replace(",", ".").removesuffix("%").strip()
    if number(point) is None:
        return None
    how = "a comma" if "," in plain else "a percent sign" if "%" in plain else "another minus sign"
    return f"with {how}; write {point}"
