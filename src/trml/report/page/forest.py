"""Claims as effects: every comparison's gain with its interval, on one scale a claim, with the margin drawn in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trml.report.claims_page import count_sides, table_name
from trml.report.page.numbers import counted, p_value, percent, score, signed, signed_interval
from trml.report.page.published import Published

_PAD = 0.05  # of the scale, at both ends
GLYPHS = {"supported": "disc", "refuted": "cross", "undecided": "ring", "too little data": "ring"}


@dataclass(frozen=True)
class Effect:
    """A comparison.

    Attributes:
        gain, reach: In words. verdict: In words. beside: p-value, or what can be seen.
        at, low, high: Places on the scale in per cent, None where there is none.
        decided: Whether the verdict is settled. speaks: `for`, `against` or empty.
        address: For `trml trace`.
    """

    gain: str
    reach: str
    verdict: str
    beside: str
    at: float | None
    low: float | None
    high: float | None
    decided: bool
    speaks: str
    address: str


@dataclass(frozen=True)
class Forest:
    """A claim with its effects: a line a label, a panel a pattern and rate.

    Attributes:
        id: As in `C1`. text, how: Of the claim. verdict: On it. glyph: Its sign.
        tally: How many comparisons speak for it, against it, or for neither.
        unit: Of the effects. sample: What they are of.
        panels: Headings. lines: Label, method (empty unless it is one), and an effect a panel.
        zero: Where zero is on the scale, in per cent. margin: The two edges, None without a margin.
        margin_words: The margin in words, empty without one.
        ends: Both ends of the scale, in words.
        figures, table: Names of figures and of the table behind it.
    """

    id: str
    text: str
    how: str
    verdict: str
    glyph: str
    tally: str
    unit: str
    sample: str
    panels: Sequence[str]
    lines: Sequence[tuple[str, str, Sequence[Effect | None]]]
    zero: float
    margin: tuple[float, float] | None
    margin_words: str
    ends: tuple[str, str]
    figures: Sequence[str]
    table: str


def forests(results: Published, figures: set[str]) -> list[Forest]:
    """Return every claim of a dataset.

    Args:
        results: The dataset.
        figures: Names of the figures on the page.
    """
    return [forest(results, claim, figures) for claim in results.claims]


def forest(results: Published, claim: Mapping[str, Any], figures: set[str]) -> Forest:
    """Return a claim with its effects."""
    comparisons = claim["comparisons"]
    margins = {c["margin"] for c in comparisons} - {None}
    margin = margins.pop() if len(margins) == 1 else None
    low, high = _scale(comparisons, margin)
    panels = list(dict.fromkeys((c["victim"], c["rate"]) for c in comparisons))
    by = {(c["against"], c["label"], c["victim"], c["rate"]): c for c in comparisons}
    rows = list(dict.fromkeys((c["against"], str(c["label"])) for c in comparisons))

    def place(x: float) -> float:
        return round(100 * (x - low) / (high - low), 2)

    def effect(c: Mapping[str, Any] | None) -> Effect | None:
        return None if c is None else _effect(results, claim, c, place)

    lines = [
        (
            label,
            against if against in results.looks else "",
            [effect(by.get((against, label, *panel))) for panel in panels],
        )
        for against, label in rows
    ]
    return Forest(
        id=claim["id"],
        text=claim["text"],
        how=claim["how"],
        verdict=claim["verdict"],
        glyph=GLYPHS.get(claim["verdict"], "ring"),
        tally=tally(claim),
        unit=claim["unit"],
        sample=f"{claim['utterances']:,} test utterances in {claim['groups']:,} groups, "
        + counted(claim["seeds"], "seed"),
        panels=[f"{str(v).replace('_', ' ')} {percent(rate)}" for v, rate in panels],
        lines=lines,
        zero=place(0.0),
        margin=None if margin is None else (max(0.0, place(-margin)), min(100.0, place(margin))),
        margin_words="" if margin is None else score(margin),
        ends=(signed(low, 2), signed(high, 2)),
        figures=[name for name in claim["figures"] if name in figures],
        table=f"{table_name(claim)}{results.suffix}",
    )


def tally(claim: Mapping[str, Any]) -> str:
    """Return how many comparisons speak for a claim, against it, for neither, lack data, or failed."""
    words = {"for": "for", "against": "against"}
    return " · ".join(f"{n} {words.get(side, side)}" for side, n in count_sides(claim).items() if n)


def _scale(comparisons: Sequence[Mapping[str, Any]], margin: float | None) -> tuple[float, float]:
    """Return the ends of the scale: all intervals, zero, and the margin's edges."""
    values = [c[key] for c in comparisons for key in ("effect", "low", "high") if c[key] is not None]
    values += [0.0] + ([] if margin is None else [-margin, margin])
    low, high = min(values), max(values)
    pad = _PAD * (high - low) or 1.0
    return low - pad, high + pad


def _effect(
    results: Published, claim: Mapping[str, Any], c: Mapping[str, Any], place: Callable[[float], float]
) -> Effect:
    tested = c["verdict"] in ("better", "worse", "equivalent", "undecided")
    beside = p_value(c["p_equivalent"] if c["verdict"] == "equivalent" else c["p"]) if tested else ""
    if c["verdict"] == "undecided" and c["detectable"] is not None:
        beside = f"can see {score(c['detectable'])}"
    where = f"{c['victim']}@{c['rate']:g}"
    return Effect(
        gain=signed(c["effect"]),
        reach=signed_interval(c["low"], c["high"]),
        verdict=c["verdict"],
        beside=beside,
        at=None if c["effect"] is None else place(c["effect"]),
        low=None if c["low"] is None else place(c["low"]),
        high=None if c["high"] is None else place(c["high"]),
        decided=c["verdict"] in ("better", "worse", "equivalent"),
        speaks=c["speaks"],
        address=f"{results.result}:claim_{claim['id'].lower()}{results.suffix}/{c['against']}/{where}",
    )
