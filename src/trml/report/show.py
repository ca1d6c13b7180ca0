"""What a published result says: its findings in sentences, its tables by method and condition, its claims."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.report.published import Published

_WHO = ("method", "against", "first", "second")
ALL = "all"


@dataclass(frozen=True)
class Shown:
    """What `trml show` shows.

    Attributes:
        result: The result's name.
        table: The table, None for the findings.
        claim: id, text, how and verdict, None where the table is no claim's.
        findings: Sentences, none with a table.
        claims: id, dataset, verdict, supporting, refuting, undecided, largest (effect) and text; none with a table.
        columns: Of the rows.
        rows: The rows of the table that were asked for.
        page: The page.
    """

    result: str
    table: str | None = None
    claim: Mapping[str, Any] | None = None
    findings: Sequence[str] = ()
    claims: Sequence[Mapping[str, Any]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    page: str | None = None


def show(
    result: Published,
    table: str | None = None,
    methods: Sequence[str] = (),
    condition: str | None = None,
    metric: str | None = None,
) -> Shown:
    """Return findings and claims, or the rows of a table.

    Args:
        result: The published result.
        table: A table's name or a claim's id.
        methods: Of these alone; a pair of methods is shown if both are among them, or if it has the only one.
        condition: As in metrics.csv, `complete` or `vision@0.5`; a pattern alone is all its rates.
        metric: Its name, or `all`; None for the first that the table has, which is the primary one.

    Raises:
        CommandError: If there is no such table, method, condition or metric; it names the nearest.
    """
    page = result.folder / "report/index.html"
    about: dict[str, Any] = {"result": result.name, "page": str(page) if page.is_file() else None}
    if table is None and not methods and condition is None and metric is None:
        return Shown(**about, findings=result.findings, claims=list(_claims(result)))
    name = result.table_name(table or "main")
    rows = _of_metric(_chosen(result.table(name), name, methods, condition), name, metric)
    claim = next((each for each in result.claims(_dataset(result, name)) if _is_of(each["id"], name)), None)
    about["claim"] = {key: claim[key] for key in ("id", "text", "how", "verdict")} if claim else None
    return Shown(**about, table=name, columns=rows.columns, rows=rows.to_dicts())


def _dataset(result: Published, table: str) -> str | None:
    """Return the dataset of a claim's table, None for the own."""
    return next((each for each in result.datasets if each and table.endswith(f"_{each}")), None)


def _is_of(claim: str, table: str) -> bool:
    return table.split("_")[:2] == ["claim", claim.lower()]


def _chosen(rows: pl.DataFrame, name: str, methods: Sequence[str], condition: str | None) -> pl.DataFrame:
    who = [column for column in _WHO if column in rows.columns]
    if methods:
        if not who:
            raise CommandError(f"{name} is no table of methods; expected no --method with it")
        known = {str(each) for column in who for each in rows[column].unique()}
        for method in methods:
            if method not in known:
                raise CommandError(f"{name} has no method {method!r}{nearest(method, known)}")
        within = pl.any_horizontal if len(methods) == 1 else pl.all_horizontal
        rows = rows.filter(within(*(pl.col(column).is_in(list(methods)) for column in who)))
    if condition is not None:
        rows = _at(rows, name, condition)
    return rows


def _of_metric(rows: pl.DataFrame, name: str, metric: str | None) -> pl.DataFrame:
    if "metric" not in rows.columns:
        if metric is not None:
            raise CommandError(f"{name} has no column of metrics; expected no --metric with it")
        return rows
    known = [str(each) for each in rows["metric"].unique(maintain_order=True)]
    if metric == ALL or not known:
        return rows
    if metric is not None and metric not in known:
        raise CommandError(f"{name} has no metric {metric!r}{nearest(metric, [*known, ALL])}")
    return rows.filter(pl.col("metric") == (metric or known[0]))


def _at(rows: pl.DataFrame, name: str, condition: str) -> pl.DataFrame:
    """Return the rows of a condition."""
    if not {"victim", "rate"} <= {*rows.columns}:
        raise CommandError(f"{name} has no conditions; expected no --condition with it")
    victim, _, rate = condition.partition("@")
    # Complete data has one score whatever would be missing, so the first pattern stands for all.
    at = pl.col("victim") == victim
    if condition == "complete":
        at = (pl.col("rate") == 0) & (pl.col("victim") == pl.col("victim").first())
    elif rate:
        at &= pl.col("rate") == _number(rate)
    found = rows.filter(at)
    if not found.height:
        conditions = rows.select("victim", "rate").unique(maintain_order=True).iter_rows()
        known = ["complete", *(f"{victim}@{rate:g}" for victim, rate in conditions if rate)]
        raise CommandError(f"{name} has no condition {condition!r}{nearest(condition, known)}")
    return found


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise CommandError(f"the rate {word!r} is no number; expected a condition as vision@0.5") from None


def _claims(result: Published) -> Iterator[dict[str, Any]]:
    for dataset in result.datasets:
        for claim in result.claims(dataset):
            rows = claim["comparisons"]
            effects = [row["effect"] for row in rows if row["effect"] is not None]
            spoken = [row["speaks"] for row in rows]
            yield {
                "id": claim["id"],
                "dataset": dataset,
                "verdict": claim["verdict"],
                "supporting": spoken.count("for"),
                "refuting": spoken.count("against"),
                "undecided": len(spoken) - spoken.count("for") - spoken.count("against"),
                "largest": max(effects, key=abs, default=None),
                "metric": claim.get("metric"),
                "text": claim["text"],
            }
