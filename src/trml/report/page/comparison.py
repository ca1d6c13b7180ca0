"""Two results side by side, as one HTML file: settings, curves, claims, and every mean score that both have."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from trml.methods.config import DEFAULT
from trml.report.compare import Compared, compared_as
from trml.report.page.charts import FONT
from trml.report.page.document import document, script
from trml.report.published import Published

_SAME = ("method", "train_victim", "train_rate", "condition", "metric")  # of a mean over seeds
_LONGEST = 200  # characters of a setting
_WIDTH, _HEIGHT = 150, 96  # pixels of the frame of a small figure
_AXIS = {
    "labelFont": FONT,
    "labelFontSize": 11,
    "labelColor": "var(--muted)",
    "grid": False,
    "domainColor": "var(--rule2)",
    "tickColor": "var(--rule2)",
}


@dataclass(frozen=True)
class Small:
    """A small figure: one method in both results, over the missing rate."""

    label: str
    svg: str
    words: str


@dataclass(frozen=True)
class Effect:
    """A comparison that both results have: what is compared, and in each its effect, interval and verdict."""

    label: str
    a: Mapping[str, Any]
    b: Mapping[str, Any]
    change: float | None


def comparison_page(compared: Compared, a: Published, b: Published, names: tuple[str, str]) -> str:
    """Return the page.

    Args:
        compared: What differs.
        a: The first result.
        b: The second.
        names: What they are called on the page.
    """
    means = shared_means(a, b)
    return document(
        "comparison.html.j2",
        [script("tables.js")],
        c=compared,
        names=names,
        sides=(compared.a, compared.b),
        settings=[(each["key"], _value(each["a"]), _value(each["b"])) for each in compared.settings],
        labels=b.labels | a.labels,
        curves=list(_curves(means, a)),
        claims=[(claim, list(_effects(a, b, claim))) for claim in compared.claims],
        means=list(_rows(means)),
    )


def shared_means(a: Published, b: Published) -> pl.DataFrame:
    """Return the mean scores over seeds that both have, on the experiments' own data.

    Columns: method, train_victim, train_rate, condition, metric; of each result value_a and value_b, seeds_a and
    seeds_b; change, the second less the first. The first metric comes first, within it the largest change.
    """
    one, other = (_means(each) for each in (a, b))
    both = one.rename({"value": "value_a", "seeds": "seeds_a"}).join(
        other.rename({"value": "value_b", "seeds": "seeds_b"}), on=_SAME, maintain_order="left"
    )
    both = both.with_columns(change=pl.col("value_b") - pl.col("value_a"))
    order = pl.col("metric").cast(pl.Enum(one["metric"].unique(maintain_order=True)))
    return both.sort(order, pl.col("change").abs(), descending=[False, True], nulls_last=True, maintain_order=True)


def _rows(means: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table of means, with `training`: what was missing in training, in words.

    Nothing missing is one training for every pattern. A method that is shaped by the pattern has another for each.
    """
    same = ["method", "condition", "metric"]
    shaped = means.filter(train_rate=0.0).group_by(same).agg(pl.struct("value_a", "value_b").n_unique().alias("n"))
    several = {row[:3] for row in shaped.filter(pl.col("n") > 1).iter_rows()}
    seen: set[tuple[Any, ...]] = set()
    for row in means.to_dicts():
        key = tuple(row[each] for each in same)
        if row["train_rate"]:
            yield {**row, "training": f"{row['train_victim']}@{row['train_rate']:g}"}
        elif key in several:
            yield {**row, "training": f"complete, for {row['train_victim']} missing"}
        elif key not in seen:
            seen.add(key)
            yield {**row, "training": "complete"}


def _means(result: Published) -> pl.DataFrame:
    rows = result.metrics().filter(variant=DEFAULT).filter(pl.col("train_rate") == pl.col("dev_rate"))
    return rows.group_by(_SAME, maintain_order=True).agg(pl.col("value").mean(), seeds=pl.col("seed").n_unique())


def _curves(means: pl.DataFrame, a: Published) -> Iterator[tuple[str, str, list[Small]]]:
    """Yield, for each missing pattern, its name, the metric and the small figures of all methods, on one scale."""
    if means.is_empty():
        return
    rows = means.filter(metric=means["metric"][0]).with_columns(
        victim=pl.col("condition").str.split("@").list.first(),
        rate=pl.col("condition").str.extract(r"@(.*)$").cast(pl.Float64).fill_null(0.0),
    )
    met = rows.filter(pl.col("rate") > 0)["victim"].unique().sort().to_list()
    for victim in dict.fromkeys([*(each for each in a.protocol.get("victims", []) if each in met), *met]):
        points = _points(rows, victim)
        long = points.unpivot(["value_a", "value_b"], index=["method", "rate"], variable_name="side").drop_nulls()
        if not long.is_empty():
            limits = (long["value"].min(), long["value"].max())
            made = [
                _small(a.labels.get(name, name), long.filter(method=name), limits)
                for name in long["method"].unique(maintain_order=True)
            ]
            yield victim, means["metric"][0], made


def _points(rows: pl.DataFrame, victim: str) -> pl.DataFrame:
    """Return the rows of a pattern: trained at the rate of the test where both have that, else on complete data."""
    of_pattern = rows.filter(victim=victim)
    matched = of_pattern.filter(pl.col("train_victim") == victim, pl.col("train_rate") == pl.col("rate"))
    missing = of_pattern.filter(train_rate=0.0) if matched.is_empty() else matched
    complete = rows.filter(condition="complete", train_rate=0.0).unique("method", keep="first", maintain_order=True)
    return pl.concat([complete.filter(pl.col("method").is_in(missing["method"].implode())), missing])


def _small(label: str, rows: pl.DataFrame, limits: tuple[Any, Any]) -> Small:
    sides = ["value_a", "value_b"]
    colours = alt.Scale(domain=sides, range=["var(--ink)", "var(--f-generate)"])
    dashes = alt.Scale(domain=sides, range=[[1, 0], [4, 3]])
    drawn = (
        alt.Chart(alt.Data(values=rows.sort("rate").to_dicts()), width=_WIDTH, height=_HEIGHT)
        .mark_line(point={"size": 26, "filled": True})
        .encode(
            x=alt.X("rate:Q", title=None, axis=alt.Axis(values=[0, 0.5, 1], format=".0%")),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=3), scale=alt.Scale(domain=limits, nice=True)),
            color=alt.Color("side:N", scale=colours, legend=None),
            strokeDash=alt.StrokeDash("side:N", scale=dashes, legend=None),
        )
        .configure(view={"stroke": None}, axis=_AXIS, font=FONT)
    )
    spec = json.loads(drawn.to_json())
    spec["config"]["background"] = None  # which Altair refuses, and which leaves the paper of the page
    svg = str(vl_convert.vegalite_to_svg(spec)).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    return Small(label, svg, _in_words(label, rows))


def _in_words(label: str, rows: pl.DataFrame) -> str:
    """Return a figure in words, for those who cannot see it."""
    ends = rows.filter(pl.col("rate") == rows["rate"].max()).sort("side")["value"]
    return f"{label}: at the highest rate {' and '.join(f'{value:.3f}' for value in ends)}"


def _effects(a: Published, b: Published, claim: Mapping[str, Any]) -> Iterator[Effect]:
    """Yield the comparisons of a claim that both results have."""
    own, other = (_comparisons(result, claim) for result in (a, b))
    for key, row in own.items():
        if key in other:
            known = row["effect"] is not None and other[key]["effect"] is not None
            change = other[key]["effect"] - row["effect"] if known else None
            rate = f" {100 * key[3]:g} %" if isinstance(key[3], float) else ""
            yield Effect(f"{key[1]}, {key[2]}{rate}" if key[2] else str(key[1]), row, other[key], change)


def _comparisons(result: Published, claim: Mapping[str, Any]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    found = next(each for each in result.claims(claim["dataset"]) if each["id"] == claim["id"])
    return {compared_as(row): row for row in found["comparisons"]}


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
