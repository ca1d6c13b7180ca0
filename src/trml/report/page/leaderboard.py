"""The leaderboard by regime: every method on the scale from the constant predictor (0) to the best possible (1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trml.evaluation.contract import COMPLETE
from trml.report.curves import View, score_rows
from trml.report.page.numbers import interval, percent, score
from trml.report.page.published import Published

_AXIS = 1.06  # the right end of the scale that whiskers are drawn on


@dataclass(frozen=True)
class Column:
    """A regime: a heading over several, its own heading, and under which condition methods are scored."""

    group: str
    label: str
    protocol: str
    victim: str
    rate: float


@dataclass(frozen=True)
class Whisker:
    """An interval as shares of a picture's width, in per cent; low and high are None where there is none."""

    at: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Cell:
    """A method under a regime.

    Attributes:
        scaled, scaled_interval: On the scale. raw, raw_interval: As scored.
        key: The scaled score, or the raw one where there is no scale, to sort by; bigger is better.
        leads: Whether no compared method is significantly better.
        failed: How many trainings failed.
        whisker: The interval on the scale.
        address: For `trml trace`.
    """

    scaled: str
    scaled_interval: str
    raw: str
    raw_interval: str
    key: float | None
    raw_key: float | None
    leads: bool
    failed: int
    whisker: Whisker | None
    address: str | None


@dataclass(frozen=True)
class Line:
    """A method: its name, label, whether it is the upper bound, and a cell a column; None where it has no score."""

    method: str
    label: str
    is_bound: bool
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class Leaderboard:
    """The table.

    Attributes:
        columns: Regimes. lines: Methods, the best in the second column first.
        scaled: Whether the best possible is known. sorted_by: Place of the column that lines are sorted by.
    """

    columns: Sequence[Column]
    lines: Sequence[Line]
    scaled: bool
    sorted_by: int

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Headings over neighbours, each with how many columns it spans."""
        made: list[tuple[str, int]] = []
        for column in self.columns:
            if made and made[-1][0] == column.group:
                made[-1] = (column.group, made[-1][1] + 1)
            else:
                made.append((column.group, 1))
        return made


def leaderboard(results: Published) -> Leaderboard:
    """Return the leaderboard of a dataset."""
    study = results.study
    columns = [column for column in _columns(results) if _has_scores(results, column)]
    scores = {column: _by_method(results, column) for column in columns}
    scaled = all("ceiling" in rows and "constant" in rows for rows in scores.values())
    lines = [
        Line(
            name,
            label,
            study.upper is not None and name == study.upper.name,
            [_cell(results, column, scores[column], name, scaled=scaled) for column in columns],
        )
        for name, label in study.entries.items()
    ]
    by = min(1, len(columns) - 1)

    def first(line: Line) -> tuple[bool, float]:
        cell = line.cells[by]
        return (cell is None or cell.key is None, 0.0 if cell is None or cell.key is None else -cell.key)

    return Leaderboard(columns, sorted(lines, key=first) if columns else lines, scaled, by)


def _columns(results: Published) -> list[Column]:
    study = results.study
    own, rate = study.training, study.study_rate
    if not study.victims:
        return []
    first = study.single_victims[0] if study.single_victims else study.victims[0]
    columns = [Column("", "nothing missing", own, first, 0.0)]
    for victim in study.victims:
        label = study.pattern(victim).label
        if victim in study.single_victims:
            columns += [Column(label, percent(rate), own, victim, rate), Column(label, "all", own, victim, 1.0)]
        elif victim == "random_modality":
            columns.append(Column("either missing", percent(rate), own, victim, rate))
    if COMPLETE in results.protocols and own != COMPLETE:
        group = "trained complete, all missing at test"
        columns += [Column(group, victim, COMPLETE, victim, 1.0) for victim in study.single_victims]
    return list(dict.fromkeys(columns))


def _by_method(results: Published, column: Column) -> dict[str, dict[str, Any]]:
    view = View(column.protocol, column.victim, results.primary)
    rows = score_rows(results.summary, results.study, view).filter(rate=column.rate)
    by = {row["method"]: row for row in rows.iter_rows(named=True)}
    if "ceiling" not in by:  # a bound of the test utterances, whatever was missing in training
        own = View(results.study.training, column.victim, results.primary)
        bounds = score_rows(results.summary, results.study, own).filter(rate=column.rate)
        by |= {r["method"]: r for r in bounds.iter_rows(named=True) if r["method"] in ("ceiling", "constant")}
    if column.rate == 0:  # a method that is another model for each pattern has no one score on complete data
        by = {name: row for name, row in by.items() if name not in {m.name for m in results.study.methods if m.single}}
    return {name: row for name, row in by.items() if row["value"] is not None or row["failed"]}


def _has_scores(results: Published, column: Column) -> bool:
    return any(name in results.looks for name in _by_method(results, column))


def _cell(
    results: Published, column: Column, rows: Mapping[str, Mapping[str, Any]], name: str, *, scaled: bool
) -> Cell | None:
    row = rows.get(name)
    if row is None:
        return None
    value, low, high = row["value"], row["low"], row["high"]
    up = results.primary.higher_is_better
    on_scale: list[float | None] = [None, None, None]
    if scaled and value is not None:
        worst, best = rows["constant"]["value"], rows["ceiling"]["value"]
        on_scale = [None if each is None else (worst - each) / (worst - best) for each in (value, low, high)]
        if on_scale[1] is not None and on_scale[2] is not None and on_scale[1] > on_scale[2]:
            on_scale[1], on_scale[2] = on_scale[2], on_scale[1]
    raw_key = None if value is None else (value if up else -value)
    bound = results.study.upper is not None and name == results.study.upper.name
    return Cell(
        scaled=score(on_scale[0], 2),
        scaled_interval=interval(on_scale[1], on_scale[2], 2),
        raw=score(value),
        raw_interval=interval(low, high),
        key=on_scale[0] if scaled else raw_key,
        raw_key=raw_key,
        leads=bool(row["leads"]) and not bound,
        failed=row["failed"] or 0,
        whisker=_whisker(*on_scale),
        address=results.address(column.protocol, name, column.victim, column.rate, results.primary.name),
    )


def _whisker(at: float | None, low: float | None, high: float | None) -> Whisker | None:
    if at is None:
        return None
    return Whisker(_place(at), None if low is None else _place(low), None if high is None else _place(high))


def _place(share: float) -> float:
    return round(100 * min(max(share, 0.0), _AXIS) / _AXIS, 2)


BEST = round(100 / _AXIS, 2)  # where 1 is on the axis of a whisker
