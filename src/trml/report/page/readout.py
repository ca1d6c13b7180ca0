"""The table beside the curves: each method's score at one condition, and its difference from a reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from trml.report.curves import View, less, pair_rows, score_rows
from trml.report.page.numbers import interval, p_value, score, signed, signed_interval
from trml.report.page.published import Published


@dataclass(frozen=True)
class Line:
    """A method at the condition, in words.

    Attributes:
        method: Its name, empty for a bound or a constant. label: For readers.
        value, low_high: Its score with interval.
        difference, difference_interval: From the reference, empty of the reference itself.
        verdict: On the pair. decided: Whether it is settled. beside: p-value, or what the run can see.
        address: Of the score, for `trml trace`. pair: Of the difference.
    """

    method: str
    label: str
    value: str
    low_high: str
    difference: str = ""
    difference_interval: str = ""
    verdict: str = ""
    decided: bool = False
    beside: str = ""
    address: str | None = None
    pair: str | None = None


def readout(results: Published, view: View, rate: float, reference: str) -> list[Line]:
    """Return a line for each method, the best first, then the bound and the constant predictor.

    Args:
        results: The dataset.
        view: What is scored.
        rate: At evaluation.
        reference: The method to compare with.
    """
    rows = score_rows(results.summary, results.study, view).filter(
        pl.col("rate") == rate, pl.col("value").is_not_null()
    )
    pairs = less(pair_rows(results.pairs, results.study, view), reference, view.metric).filter(pl.col("rate") == rate)
    by_method = {row["method"]: row for row in pairs.iter_rows(named=True)}
    known = rows.filter(pl.col("method").is_in(list(results.looks)))
    ordered = known.sort("value", descending=view.metric.higher_is_better)
    lines = [
        _line(results, view, row, by_method.get(row["method"]), reference) for row in ordered.iter_rows(named=True)
    ]
    for name, label in (("ceiling", "Best possible"), ("constant", "Always saying the same")):
        for row in rows.filter(pl.col("method") == name).iter_rows(named=True):
            address = results.address(view.protocol, name, view.victim, rate, view.metric.name)
            lines.append(Line("", label, score(row["value"]), "", address=address))
    return lines


def _line(
    results: Published, view: View, row: Mapping[str, Any], pair: Mapping[str, Any] | None, reference: str
) -> Line:
    name = row["method"]
    words = verdict_words(pair, results.looks[name].short, results.looks[reference].short) if pair else ("", False, "")
    return Line(
        method=name,
        label=results.study.entries[name],
        value=score(row["value"]),
        low_high=interval(row["low"], row["high"]),
        difference="" if pair is None else signed(pair["value"]),
        difference_interval="" if pair is None else signed_interval(pair["low"], pair["high"]),
        verdict="compared with" if name == reference else words[0],
        decided=words[1],
        beside=words[2],
        address=results.address(view.protocol, name, view.victim, row["rate"], view.metric.name, row["present"]),
        pair=None
        if pair is None or view.metric != results.primary
        else results.pair_address(view.protocol, *_in_order(results, name, reference), view.victim, row["rate"]),
    )


def _in_order(results: Published, one: str, other: str) -> tuple[str, str]:
    """Return a pair as the table of pairs has it: in the order of the study."""
    order = list(results.study.entries)
    first, second = sorted((one, other), key=order.index)
    return first, second


def verdict_words(pair: Mapping[str, Any], method: str, reference: str) -> tuple[str, bool, str]:
    """Return the verdict on a pair in words, whether it is settled, and what stands below it.

    Args:
        pair: A row of `curves.less`.
        method: Its short name.
        reference: Likewise.
    """
    verdict = pair["verdict"]
    if verdict == "better":
        return f"{method} better", True, p_value(pair["p"])
    if verdict == "worse":
        return f"{reference} better", True, p_value(pair["p"])
    if verdict == "equivalent":
        return "equivalent", True, f"within {score(pair['margin'])}, {p_value(pair['p_equivalent'])}"
    if verdict == "undecided":
        sees = "" if pair["detectable"] is None else f", can see {score(pair['detectable'])}"
        return "undecided", False, f"{p_value(pair['p'])}{sees}".removeprefix(", ")
    return str(verdict), False, ""
