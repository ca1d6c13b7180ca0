"""How numbers are written on the page: a true minus, signs of differences, intervals in words."""

import re

from trml.base.printable import plural

MINUS, NBSP = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def score(value: float | None, places: int = 3) -> str:
    """Return a score, empty where there is none."""
    return "" if value is None else _unsigned_zero(f"{value:.{places}f}").replace("-", MINUS)


def signed(value: float | None, places: int = 3) -> str:
    """Return a difference with its sign; what rounds to zero has none."""
    if value is None:
        return ""
    text = f"{value:+.{places}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def interval(low: float | None, high: float | None, places: int = 3) -> str:
    """Return an interval of scores as `0.355 to 0.422`, empty where there is none."""
    return "" if low is None or high is None else f"{score(low, places)} to {score(high, places)}"


def signed_interval(low: float | None, high: float | None, places: int = 3) -> str:
    """Return an interval of a difference as `-0.014 to +0.029`, empty where there is none."""
    return "" if low is None or high is None else f"{signed(low, places)} to {signed(high, places)}"


def percent(share: float) -> str:
    """Return a share in whole per cent: `50 %`."""
    return f"{100 * share:.0f}{NBSP}%"


def p_value(p: float | None) -> str:
    """Return a p-value: `p 0.043`, or that it is below a thousandth."""
    if p is None:
        return ""
    return "p < 0.001" if p < 0.0005 else f"p {p:.3f}"


def count(n: int) -> str:
    """Return a count in words up to twelve, with commas from a thousand on."""
    return _SMALL[n] if 0 <= n < len(_SMALL) else f"{n:,}"


def counted(n: int, noun: str) -> str:
    """Return `one seed` or `five seeds`."""
    return f"{count(n)} {plural(noun, n)}"


def listed(words: list[str], last: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def typeset(text: str) -> str:
    """Return the text of a table or a note with true minus signs before numbers and a fixed space before %."""
    text = re.sub(r"(?<![\w.\-])-(?=\d)", MINUS, text)
    return re.sub(r"(?<=\d) ?%", f"{NBSP}%", text)


_SCORED = re.compile(rf"([-+{MINUS}]?\d+\.\d+) \[([-+{MINUS}]?[\d.]+), ([-+{MINUS}]?[\d.]+)\](.*)")
_NUMBER = re.compile(rf"^[-+{MINUS}]?[\d,]*\.?\d+")


def scored(text: str) -> tuple[str, str, str] | None:
    """Return number, interval and what follows of a cell such as `0.387 [0.355, 0.422]`, None for any other."""
    found = _SCORED.fullmatch(text)
    return None if found is None else (typeset(found[1]), typeset(f"{found[2]} to {found[3]}"), found[4].strip())


def sort_key(text: str) -> float | None:
    """Return the number that a cell starts with, None where it starts with none."""
    found = _NUMBER.match(text.strip())
    return float(found[0].replace(MINUS, "-").replace(",", "")) if found else None


def _unsigned_zero(text: str) -> str:
    return text.removeprefix("-") if float(text) == 0 else text
