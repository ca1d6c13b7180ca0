"""What a published result says: its findings in sentences, its tables by method and condition, its claims."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from trml.base.errors import CommandError
from trml.base.nearest import nearest
from trml.evaluation.contract import ALL, MATCHED, other_side
from trml.methods.config import DEFAULT
from trml.report.published import Published

_SIDES = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}
_WHO = ("method", "against", "first", "second")
_NAMED = 3  # methods of a side in a sentence


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
    result: Published, table: str | None = None, methods: Sequence[str] = (), condition: str | None = None
) -> Shown:
    """Return findings and claims, or the rows of a table.

    Args:
        result: The published result.
        table: A table's name or a claim's id.
        methods: Of these alone; a pair of methods is shown where it has one of them.
        condition: As in metrics.csv, `complete` or `vision@0.5`; a pattern alone is all its rates.

    Raises:
        CommandError: If there is no such table, method or condition; it names the nearest.
    """
    page = result.folder / "report/index.html"
    about: dict[str, Any] = {"result": result.name, "page": str(page) if page.is_file() else None}
    if table is None and not methods and condition is None:
        return Shown(**about, findings=findings(result), claims=list(_claims(result)))
    name = result.table_name(table or "main")
    rows = _chosen(result.table(name), name, methods, condition)
    claim = next((dict(each) for each in result.claims(_dataset(result, name)) if _is_of(each["id"], name)), None)
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
        rows = rows.filter(pl.any_horizontal(*(pl.col(column).is_in(list(methods)) for column in who)))
    if condition is not None:
        rows = _at(rows, name, condition)
    return rows


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


def findings(result: Published) -> list[str]:
    """Return what was found, in sentences with effect sizes.

    With each single modality missing: against whom the proposed method is better, worse and equivalent, and how near
    it comes to the best possible score.
    """
    if result.proposed is None or "pairs" not in result.tables:
        return []
    pairs, rate = result.table("pairs"), result.protocol.get("study_rate", 0.5)
    training = result.protocol.get("training", MATCHED)
    at = pairs.filter(
        pl.col("protocol") == training, pl.col("rate") == rate, pl.col("metric") == pairs["metric"].first()
    )
    sentences = []
    modalities = _modalities(pairs)
    for (victim,), rows in at.filter(pl.col("victim").is_in(modalities)).group_by("victim", maintain_order=True):
        parts = [present for present in rows["present"].unique(maintain_order=True) if present != ALL]
        # On the utterances that lack something: the others dilute the difference.
        present = min(parts, key=lambda word: word.count("+")) if rate < 1 and parts else ALL
        sides = _sides(result, rows.filter(pl.col("present") == present))
        if sides:
            lacking = f"On test utterances without {victim}" if present != ALL else f"With all {victim} missing"
            label = result.labels[result.proposed]
            sentences.append(f"{lacking}, {label} is {sides} ({_metric(result)}).")
    return sentences + list(_nearest_to_best(result, modalities))


def _modalities(pairs: pl.DataFrame) -> list[str]:
    """Return the modalities, by the words for what utterances keep: those alone take a single one away."""
    return sorted({name for words in pairs["present"].unique() if words != ALL for name in words.split("+")})


def _metric(result: Published) -> str:
    claims = result.claims()
    return str(claims[0].get("unit") or claims[0].get("metric")) if claims else "the primary metric"


def _sides(result: Published, rows: pl.DataFrame) -> str:
    """Return against whom the proposed method is better, worse, equivalent and undecided, in words."""
    roles = {name: method["role"] for name, method in result.params["methods"].items()}
    by_verdict: dict[str, list[tuple[str, float, float, float]]] = {}
    for row in rows.iter_rows(named=True):
        pair = (row["first"], row["second"])
        if result.proposed not in pair or row["effect"] is None:
            continue
        is_first = pair[0] == result.proposed
        other, sign = (pair[1], 1.0) if is_first else (pair[0], -1.0)
        if roles.get(other) != "baseline":
            continue
        verdict = row["verdict"] if is_first else other_side(row["verdict"])
        ends = sorted((sign * row["low"], sign * row["high"])) if row["low"] is not None else [row["effect"]] * 2
        by_verdict.setdefault(verdict, []).append((result.labels[other], sign * row["effect"], ends[0], ends[1]))
    parts = []
    for verdict, words in _SIDES.items():
        if against := by_verdict.get(verdict):
            parts.append(f"{words} {_named(against, sized=verdict != 'equivalent')}")
    if others := by_verdict.get("undecided"):
        parts.append(f"undecided against {len(others)}{' more' if parts else ' baselines'}")
    return "; ".join(parts)


def _named(others: Sequence[tuple[str, float, float, float]], *, sized: bool) -> str:
    ordered = sorted(others, key=lambda each: -abs(each[1]))
    if not sized and len(ordered) > _NAMED:
        label, effect, low, high = ordered[0]
        return f"{len(ordered)} baselines (at most {effect:+.3f} [{low:+.3f}, {high:+.3f}], {label})"
    shown = [f"{label} by {abs(e):.3f} [{low:+.3f}, {high:+.3f}]" for label, e, low, high in ordered[:_NAMED]]
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(shown) + more


def _nearest_to_best(result: Published, modalities: Sequence[str]) -> Iterator[str]:
    """Yield how far the proposed method is on the way from the constant predictor to the best possible score."""
    main = result.table("main") if "main" in result.tables else None
    if main is None:
        return
    metric, rate = main["metric"].first(), result.protocol.get("study_rate", 0.5)
    at = main.filter(pl.col("metric") == metric, pl.col("rate") == rate, pl.col("variant") == DEFAULT)
    at = at.filter(pl.col("victim").is_in(modalities))
    for (victim,), rows in at.group_by("victim", maintain_order=True):
        values = dict(rows.select("method", "value").unique("method").iter_rows())
        ceiling, constant, own = (values.get(name) for name in ("ceiling", "constant", result.proposed))
        if ceiling is not None and constant is not None and own is not None and ceiling != constant:
            share = (constant - own) / (constant - ceiling)
            yield (
                f"With {rate:.0%} of {victim} missing, {result.labels[str(result.proposed)]} is {share:.0%} of the way "
                f"from the constant predictor ({constant:.3f}) to the best possible score ({ceiling:.3f})."
            )
