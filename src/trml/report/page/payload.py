"""The data of the page's script: scores, pairs and cells of every view, as lists of whole numbers.

A score is in millionths, as published files have six decimals. Methods, rates and metrics stand in the order of their
lists; `null` is no score.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import polars as pl

from trml.methods.config import DEFAULT
from trml.missing.modalities import written
from trml.report.curves import View, pair_rows, score_rows
from trml.report.page.inputs import PageInputs
from trml.report.page.published import Published

VERDICTS = ("better", "worse", "equivalent", "undecided", "too little data", "failed")
BOUNDS = ("constant", "ceiling")
_SCALE = 1_000_000


def payload(inputs: PageInputs) -> dict[str, Any]:
    """Return the data of every view."""
    own = inputs.own
    return {
        "result": own.result,
        "n": inputs.facts.sizes["test"],
        "metrics": [{"id": m.name, "label": m.label, "up": m.higher_is_better} for m in own.metrics],
        "methods": {
            name: {
                "label": own.study.entries[name],
                "short": look.short,
                "family": look.family.name,
            }
            for name, look in own.looks.items()
        },
        "sets": [_dataset(each) for each in inputs.datasets],
    }


def _dataset(results: Published) -> dict[str, Any]:
    study = results.study
    victims = {
        victim: {
            "label": pattern.label,
            "rates": study.rates_of(victim),
            "lacking": victim in study.single_victims,
            "whole": written(pattern.lost[0]) if pattern.level == "step" else None,  # what is missing at rate 1
        }
        for victim, pattern in ((victim, study.pattern(victim)) for victim in study.victims)
    }
    defaults = results.scores.filter(pl.col("variant") == DEFAULT)
    digests: list[str] = defaults["cell"].unique(maintain_order=True).to_list()
    place = {digest: i for i, digest in enumerate(digests)}
    return {
        "id": study.dataset or "",
        "label": results.label,
        "own": study.training,
        "protocols": results.protocols,
        "methods": list(results.looks),
        "victims": victims,
        "studyRate": study.study_rate,
        "scores": {key: flat for key, flat in _scores(results) if any(flat)},
        "pairs": {key: rows for key, rows in _pairs(results) if rows},
        "trained": _trained(results, place),
        "cells": digests,
        "cellScores": _cell_scores(results, place),
    }


def _views(results: Published) -> Sequence[tuple[str, View]]:
    """Return every view with its key: protocol, pattern, what is scored, metric."""
    study = results.study
    return [
        (
            f"{protocol}|{victim}|{'lacking' if lacking else 'all'}|{metric.name}",
            View(protocol, victim, metric, lacking),
        )
        for protocol, victim, metric in product(results.protocols, study.victims, results.metrics)
        for lacking in ((False, True) if victim in study.single_victims else (False,))
    ]


def _scores(results: Published) -> Sequence[tuple[str, list[int | None]]]:
    """Return, for each view, value, low and high of every method and bound at every rate, as one list."""
    names, made = [*results.looks, *BOUNDS], []
    for key, view in _views(results):
        rows = score_rows(results.summary, results.study, view)
        by = {(row["method"], row["rate"]): row for row in rows.iter_rows(named=True)}
        flat: list[int | None] = []
        for name, rate in product(names, results.study.rates_of(view.victim)):
            row = by.get((name, rate))
            flat += [None] * 3 if row is None else [_whole(row[column]) for column in ("value", "low", "high")]
        made.append((key, flat))
    return made


def _pairs(results: Published) -> Sequence[tuple[str, list[list[int | None]]]]:
    """Return the judged pairs of each view.

    Each is [first, second, rate, effect, low, high, p, p equivalent, detectable, margin, verdict], by place in lists.
    """
    place, made = {name: i for i, name in enumerate(results.looks)}, []
    for key, view in _views(results):
        rates = results.study.rates_of(view.victim)
        rows = pair_rows(results.pairs, results.study, view)
        rows = rows.filter(pl.col("first").is_in(list(place)), pl.col("second").is_in(list(place)))
        made.append((key, [_pair(row, place, rates) for row in rows.iter_rows(named=True)]))
    return made


def _pair(row: Mapping[str, Any], place: Mapping[str, int], rates: Sequence[float]) -> list[int | None]:
    where = [place[row["first"]], place[row["second"]], rates.index(row["rate"])]
    numbers = [_whole(row[column]) for column in ("effect", "low", "high")]
    tests = [None if row[name] is None else round(1000 * row[name]) for name in ("p", "p_equivalent")]
    seen = [_whole(row[column], 1000) for column in ("detectable", "margin")]
    return [*where, *numbers, *tests, *seen, VERDICTS.index(row["verdict"])]


def _whole(value: float | None, step: int = 1) -> int | None:
    """Return a number in millionths, in coarser steps where they are enough."""
    return None if value is None else round(value * _SCALE / step) * step


def _trained(results: Published, place: Mapping[str, int]) -> dict[str, list[list[list[int]]]]:
    """Return, for each protocol and pattern, the places of the cells of every method and rate."""
    study = results.study

    def cells(protocol: str, method: str, victim: str, rate: float) -> list[int]:
        return [place[cell] for cell in results.cells(protocol, method, victim, rate)]

    return {
        f"{protocol}|{victim}": [
            [cells(protocol, method, victim, rate) for rate in study.rates_of(victim)] for method in results.looks
        ]
        for protocol, victim in product(results.protocols, study.victims)
    }


def _cell_scores(results: Published, place: Mapping[str, int]) -> dict[str, list[Any]]:
    """Return, for each condition, the cells that are scored under it and their scores in every metric."""
    metrics = {metric.name: i for i, metric in enumerate(results.metrics)}
    rows = results.scores.filter(pl.col("variant") == DEFAULT, pl.col("metric").is_in(list(metrics)))
    made: dict[str, dict[int, list[int | None]]] = {}
    for condition, cell, metric, value in rows.select("condition", "cell", "metric", "value").iter_rows():
        of_cell = made.setdefault(condition, {}).setdefault(place[cell], [None] * len(metrics))
        of_cell[metrics[metric]] = _whole(value)
    return {name: [list(cells), list(cells.values())] for name, cells in made.items()}
