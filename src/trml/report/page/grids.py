"""Two tables of numbers by two choices: every pair of methods, and shares missing in training against those at test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from trml.evaluation.contract import ALL, COMPLETE, MATCHED, SETTING_A
from trml.methods.config import DEFAULT
from trml.report.curves import View, less, pair_rows
from trml.report.page.numbers import score, signed, signed_interval
from trml.report.page.published import Published

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "=", "undecided": "?"}
DEEPEST = 32  # per cent of ink in a cell


@dataclass(frozen=True)
class Pair:
    """The method of a row less that of a column.

    Attributes:
        text: The difference. reach: Its interval. verdict: On the row's method. sign: Of it.
        address: For `trml trace`.
    """

    text: str
    reach: str
    verdict: str
    sign: str
    address: str | None


def every_pair(results: Published, view: View, rate: float) -> list[tuple[str, list[Pair | None]]]:
    """Return a line a method, with a cell for each other one, in the order of the study; empty without any pair."""
    pairs = pair_rows(results.pairs, results.study, view).filter(pl.col("rate") == rate)
    names = [name for name in results.looks if name in {*pairs["first"], *pairs["second"]}]
    columns = {}
    for column in names:
        rows = less(pairs, column, view.metric)
        columns[column] = {row["method"]: row for row in rows.iter_rows(named=True)}
    order = list(results.study.entries)

    def cell(row: str, column: str) -> Pair | None:
        found = columns[column].get(row)
        if found is None or found["value"] is None:
            return None
        first, second = sorted((row, column), key=order.index)
        address = results.pair_address(view.protocol, first, second, view.victim, rate)
        words = found["verdict"]
        reach = signed_interval(found["low"], found["high"])
        return Pair(signed(found["value"]), reach, words, SIGNS.get(words, ""), address)

    lines = [(row, [cell(row, column) for column in names]) for row in names]
    return [line for line in lines if any(line[1])]


@dataclass(frozen=True)
class Grid:
    """Scores of one method by what was missing in training (rows) and at test (columns).

    Attributes:
        victim: The pattern. label: For readers. rates: Of both.
        rows: Rate in training, with text, tint in per cent and address of each cell; None where it was not run.
    """

    victim: str
    label: str
    rates: Sequence[float]
    rows: Sequence[tuple[float, Sequence[tuple[str, int, str | None] | None]]]


def trained_tested(results: Published, method: str) -> list[Grid]:
    """Return a grid for each pattern that takes one modality; patterns with one row are left out."""
    study = results.study
    found = {victim: _cells(results, method, victim) for victim in study.single_victims}
    values = [each["value"] for cells in found.values() for each in cells.values()]
    grids = []
    for victim, cells in found.items():
        trained, rates = sorted({key[0] for key in cells}), study.rates_of(victim)
        rows = [(row, [_tinted(results, cells.get((row, rate)), values) for rate in rates]) for row in trained]
        if len(rows) > 1:
            grids.append(Grid(victim, study.pattern(victim).label, rates, rows))
    return grids


def _cells(results: Published, method: str, victim: str) -> dict[tuple[float, float], dict[str, Any]]:
    """Return the rows of the summary by rates in training and at test."""
    rows = results.summary.filter(
        pl.col("method") == method,
        pl.col("victim") == victim,
        pl.col("variant") == DEFAULT,
        pl.col("metric") == results.primary.name,
        pl.col("present") == ALL,
        pl.col("protocol").is_in([MATCHED, COMPLETE, SETTING_A]),
        pl.col("value").is_not_null(),
    )
    return {(row["trained"], row["rate"]): row for row in rows.iter_rows(named=True)}


def _tinted(
    results: Published, row: dict[str, Any] | None, values: Sequence[float]
) -> tuple[str, int, str | None] | None:
    """Return text, tint (darker is worse) and address of a cell."""
    if row is None:
        return None
    low, high = min(values), max(values)
    share = (row["value"] - low) / (high - low) if high > low else 0.0
    worse = 1 - share if results.primary.higher_is_better else share
    address = results.address(row["protocol"], row["method"], row["victim"], row["rate"], results.primary.name)
    if row["protocol"] == SETTING_A and not results.suffix:
        place = f"{row['victim']}@{row['rate']:g}/trained@{row['trained']:g}"
        address = f"{results.result}:settings/{row['method']}/{place}/{SETTING_A}"
    return score(row["value"]), round(DEEPEST * worse), address


def pooled(results: Published) -> dict[str, Any]:
    """Return the grids of every method, for the page's script: by method."""
    return {name: [_plain(grid) for grid in trained_tested(results, name)] for name in results.looks}


def _plain(grid: Grid) -> dict[str, Any]:
    return {"label": grid.label, "rates": grid.rates, "rows": grid.rows}
