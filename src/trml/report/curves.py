"""Curves over the missing rate: one description of a figure, which Altair draws on the page and matplotlib for paper.

Rows come from two published files: scores from summary.parquet, differences from pairs.parquet. Renderers are
page/charts.py and figures/common/curves.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from trml.evaluation.contract import ALL, COMPLETE, MATCHED, MetricInfo, Study, other_side
from trml.methods.config import DEFAULT
from trml.missing.modalities import written
from trml.report.looks import Look

_PAD = 0.06  # of the shown range, above and below
DODGE = 0.012  # between neighbours, as a share of the axis, where intervals would lie on each other
ROWS = {
    "method": pl.String,
    "x": pl.Float64,
    "y": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "decided": pl.Boolean,
}


@dataclass(frozen=True)
class View:
    """What curves are of.

    Attributes:
        protocol: MATCHED or COMPLETE.
        victim: The missing pattern.
        metric: Of the scores.
        lacking: Whether only test utterances are scored that lack the victim, instead of all.
    """

    protocol: str
    victim: str
    metric: MetricInfo
    lacking: bool = False


@dataclass(frozen=True)
class Curves:
    """A figure with one curve a method.

    Attributes:
        id: Name of the figure. question: It answers. source: File that its rows are from.
        rows: One row per method and rate, with the columns ROWS.
        x_label, y_label: What the axes show. ticks: Rates.
        looks: Of every method. shown: The methods that are drawn.
        bands: Methods with their interval as a band; all others have none, or whiskers.
        whiskers: Whether every point has its interval, dodged, and is filled where it is decided.
        bound: Best possible score, columns x and y, None where it is not known.
        bound_above: Whether the bound is an upper one.
        zero: Whether there is a line at zero. margin: Of equivalence, drawn around it.
        off_scale: What is not drawn, in words.
        alt: What the figure shows, in a sentence.
    """

    id: str
    question: str
    source: str
    rows: pl.DataFrame
    x_label: str
    y_label: str
    ticks: Sequence[float]
    looks: Mapping[str, Look]
    shown: Sequence[str]
    bands: Sequence[str] = ()
    whiskers: bool = False
    bound: pl.DataFrame | None = None
    bound_above: bool = False
    zero: bool = False
    margin: float | None = None
    off_scale: str = ""
    alt: str = ""

    @property
    def drawn(self) -> pl.DataFrame:
        """The rows of the shown methods, with scores."""
        return self.rows.filter(pl.col("method").is_in(list(self.shown)), pl.col("y").is_not_null())

    @property
    def domain(self) -> tuple[float, float]:
        """The vertical range: the shown curves, their bands or whiskers and the bound, and a little more."""
        rows = self.drawn
        limits = rows if self.whiskers else rows.filter(pl.col("method").is_in(list(self.bands)))
        values = [*rows["y"], *limits["low"].drop_nulls(), *limits["high"].drop_nulls()]
        values += [] if self.bound is None else self.bound["y"].to_list()
        values += [0.0] if self.zero else []
        if not values:
            return 0.0, 1.0
        low, high = min(values), max(values)
        pad = _PAD * (high - low) or _PAD
        return low - pad, high + pad

    def ends(self, height: float, line: float) -> list[tuple[str, float]]:
        """Return where the name of each shown curve stands at its right end, none on another: method, y.

        Args:
            height: Of the frame.
            line: Of a name, in the same unit.
        """
        last = self.drawn.sort("x").group_by("method", maintain_order=True).last().sort("y", "method")
        low, high = self.domain
        return list(zip(last["method"], pushed_apart(last["y"].to_list(), low, high, line / height), strict=True))


def pushed_apart(values: Sequence[float], low: float, high: float, share: float) -> list[float]:
    """Return ascending positions at least a share of the range apart, inside it, and near their values."""
    gap, at = share * (high - low), list(values)
    for _ in range(200):
        at = [min(max(y, low), high) for y in at]
        close = [i for i, (a, b) in enumerate(pairwise(at)) if b - a < gap * 0.999]
        if not close:
            break
        for i in close:
            middle = (at[i] + at[i + 1]) / 2
            at[i], at[i + 1] = middle - gap / 2, middle + gap / 2
        at.sort()
    return at


def score_rows(summary: pl.DataFrame, study: Study, view: View) -> pl.DataFrame:
    """Return the rows of summary.parquet that a view shows: of every method and rate, the defaults alone."""
    return _viewed(summary.filter(variant=DEFAULT), study, view).sort("rate")


def pair_rows(pairs: pl.DataFrame, study: Study, view: View) -> pl.DataFrame:
    """Return the rows of pairs.parquet that a view shows."""
    return _viewed(pairs, study, view)


def _viewed(rows: pl.DataFrame, study: Study, view: View) -> pl.DataFrame:
    complete = (pl.col("protocol") == MATCHED) & (pl.col("rate") == 0)
    return rows.filter(
        (pl.col("protocol") == view.protocol) | complete,
        pl.col("victim") == view.victim,
        pl.col("metric") == view.metric.name,
        pl.col("trained") == (pl.col("rate") if view.protocol == MATCHED else 0.0),
        _scored(study, view),
    )


def _scored(study: Study, view: View) -> pl.Expr:
    """Return which rows are of the utterances that a view scores."""
    if not view.lacking:
        return pl.col("present") == ALL
    kept = written(set(study.modalities) - {view.victim})
    everywhere = (pl.col("rate") == 1) & (pl.col("present") == ALL)
    return everywhere | ((pl.col("rate") > 0) & (pl.col("rate") < 1) & (pl.col("present") == kept))


def less(pairs: pl.DataFrame, reference: str, metric: MetricInfo) -> pl.DataFrame:
    """Return each other method's score less the reference's: method, rate, value, low, high, p, verdict, and more.

    The verdict is the method's: `better` where it is better than the reference.

    Args:
        pairs: Rows of `pair_rows`.
        reference: A method.
        metric: That they are of.
    """
    sign = 1.0 if metric.higher_is_better else -1.0
    turned = {verdict: other_side(verdict) for verdict in ("better", "worse")}
    parts = []
    for own, other, turn in (("first", "second", 1.0), ("second", "first", -1.0)):
        rows = pairs.filter(pl.col(other) == reference)
        side = pl.col("verdict") if turn > 0 else pl.col("verdict").replace(turned)
        ends = [pl.col(name) * sign * turn for name in ("low", "high")]
        parts.append(
            rows.select(
                pl.col(own).alias("method"),
                "rate",
                (pl.col("effect") * sign * turn).alias("value"),
                pl.min_horizontal(ends).alias("low"),
                pl.max_horizontal(ends).alias("high"),
                "p",
                "p_equivalent",
                "detectable",
                "margin",
                side.alias("verdict"),
            )
        )
    return pl.concat(parts).sort("method", "rate")


def over_rates(
    summary: pl.DataFrame,
    study: Study,
    view: View,
    looks: Mapping[str, Look],
    shown: Sequence[str],
    bands: Sequence[str],
) -> Curves:
    """Return the scores of methods over the missing rate."""
    rows, metric, pattern = score_rows(summary, study, view), view.metric, study.pattern(view.victim)
    ceiling = rows.filter(pl.col("method") == "ceiling", pl.col("value").is_not_null())
    constant = rows.filter(pl.col("method") == "constant", pl.col("value").is_not_null())["value"].to_list()
    better = "higher" if metric.higher_is_better else "lower"
    made = Curves(
        id=f"rates_{view.victim}",
        question="How does each method's score change with the share of missing data?",
        source="summary.parquet",
        rows=rows.filter(pl.col("method").is_in(list(looks))).select(
            "method", x="rate", y="value", low="low", high="high", decided=pl.lit(True)
        ),
        x_label=f"share of utterances with {pattern.label}",
        y_label=f"{metric.label} by % missing, {better} is better",
        ticks=study.rates_of(view.victim),
        looks=looks,
        shown=shown,
        bands=bands,
        bound=ceiling.select(x="rate", y="value") if ceiling.height > 1 else None,
        bound_above=metric.higher_is_better,
        alt=f"{metric.label} of {len(shown)} methods over the share of test utterances with {pattern.label}; the table "
        "beside it has the numbers.",
    )
    if not constant:
        return made
    low, high = made.domain
    outside = "" if low <= constant[-1] <= high else ", outside the frame"
    return replace(made, off_scale=f"Always saying the same gives {constant[-1]:.3f}{outside}.")


def differences(
    pairs: pl.DataFrame, study: Study, view: View, looks: Mapping[str, Look], shown: Sequence[str], reference: str
) -> Curves:
    """Return the scores of methods less that of a reference over the missing rate, with paired intervals."""
    metric, pattern = view.metric, study.pattern(view.victim)
    rows = less(pair_rows(pairs, study, view), reference, metric)
    rows = rows.filter(pl.col("method").is_in(list(looks)))
    margins = rows["margin"].drop_nulls().to_list()
    worse = "below" if metric.higher_is_better else "above"
    name = looks[reference].short
    return Curves(
        id=f"differences_{view.victim}",
        question=f"By how much does each method differ from {name}?",
        source="pairs.parquet",
        rows=rows.select(
            "method",
            x="rate",
            y="value",
            low="low",
            high="high",
            decided=pl.col("verdict").is_in(["better", "worse", "equivalent"]),
        ),
        x_label=f"share of utterances with {pattern.label}",
        y_label=f"{metric.label} less that of {name}: {worse} 0 is worse than {name}",
        ticks=study.rates_of(view.victim),
        looks=looks,
        shown=[each for each in shown if each != reference],
        whiskers=True,
        zero=True,
        margin=margins[0] if margins else None,
        alt=f"{metric.label} of each method less that of {name} over the share of test utterances with "
        f"{pattern.label}, with 95 % intervals; the table beside it has the numbers.",
    )


PROTOCOLS = {MATCHED: "the same share missing in training", COMPLETE: "nothing missing in training"}
