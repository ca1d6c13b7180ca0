"""What DVC compares between commits and experiments: scores and claims of a result, in files of fixed names.

The files are:

    metrics.json    scores of the proposed method on the own dataset by condition, and the comparisons of each claim
    rates.csv       victim, method, rate, value, low, high: of the primary metric, each method trained as evaluated
    claims.csv      claim, against, victim, rate, effect, low, high, verdict
"""

from pathlib import Path
from typing import Any

import polars as pl

from trml.base.artifacts import read_json, write_json


def headline(results: Path, folder: Path) -> None:
    """Write the three files of a results folder below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    claims = read_json(results / "claims.json")
    main = pl.read_csv(results / "tables" / "main.csv").filter(protocol="matched", variant="default")
    primary = main.filter(pl.col("metric") == main["metric"].first())
    columns = ["victim", "method", "rate", "value", "low", "high"]
    primary.sort("victim", "method", "rate").select(columns).write_csv(folder / "rates.csv")
    proposed = main.filter(role="proposed")
    compared = [{"claim": claim["id"], **row} for claim in claims for row in claim["comparisons"]]
    rows = [{key: row.get(key) for key in _CLAIMS} for row in compared]
    pl.DataFrame(rows, schema=_CLAIMS).write_csv(folder / "claims.csv")
    write_json(
        folder / "metrics.json",
        {
            **{metric: _by_condition(proposed.filter(metric=metric)) for metric in proposed["metric"].unique().sort()},
            "claims": {claim["id"]: _counts(claim) for claim in claims},
        },
    )


_CLAIMS = {
    "claim": pl.String,
    "against": pl.String,
    "victim": pl.String,
    "rate": pl.Float64,
    "effect": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "verdict": pl.String,
}


def _by_condition(scores: pl.DataFrame) -> dict[str, float]:
    """Return scores by condition, as metrics.csv names them."""
    rows = scores.sort("rate", "victim").iter_rows(named=True)
    return {f"{row['victim']}@{row['rate']:g}" if row["rate"] else "complete": row["value"] for row in rows}


def _counts(claim: dict[str, Any]) -> dict[str, Any]:
    """Return how many comparisons speak for a claim, against it, and for neither."""
    speaks = [row["speaks"] for row in claim["comparisons"]]
    sides = {side: speaks.count(side) for side in ("for", "against")}
    return {"verdict": claim["verdict"], **sides, "undecided": len(speaks) - sum(sides.values())}
