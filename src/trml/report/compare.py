"""What differs between two published results, and from which setting.

Scores that both have are compared one by one: the same training, condition and metric. Where these agree and a claim
does not, the difference is in what is compared, such as seeds or rates; where they do not, it is in the first stage
whose inputs depart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from trml.report.published import Published

_KEY = ["method", "variant", "train_victim", "train_rate", "dev_rate", "seed", "condition", "metric"]
_SETTLED = ("name", "data", "device", "accept_terms")  # which change no number
_NO_VERDICT = "too little data"
_STAGES = ("corpus", "encoder", "features")
# Of each stage the settings that it depends on, beside those of the stages before it.
_SETTINGS_OF = {
    "corpus": ("corpus", "seed"),
    "encoder": ("encoder", "seed", "threads", "portable"),
    "features": ("encoder", "threads", "portable"),
    "training": ("training", "methods", "chosen", "protocol", "seed", "threads", "portable", "datasets"),
}
_EXTENT = ("protocol", "methods", "datasets", "studies", "analyses", "report")  # what is compared, not how it is made


@dataclass(frozen=True)
class Side:
    """One of two results: its name, digest, commit, seeds, missing rates, number of trainings and its inputs."""

    name: str
    digest: str
    commit: str
    seeds: int
    rates: int
    trainings: int
    made_from: Mapping[str, Any]


@dataclass(frozen=True)
class Cause:
    """Why two results differ.

    Attributes:
        stage: The first stage whose scores or inputs depart, None where shared scores agree.
        settings: The keys that are to blame, none where the source or the machine is.
        words: In a sentence, empty where nothing differs.
    """

    stage: str | None
    settings: Sequence[str]
    words: str


@dataclass(frozen=True)
class Compared:
    """What comparing two results gives.

    Attributes:
        a: The first.
        b: The second.
        settings: key, a and b of each setting that differs.
        scores: shared, identical, only_a, only_b, and largest: address, a and b, None without a difference.
        claims: id, dataset, a, b (verdicts), shared (effects), largest_change, changed_sign, outside_interval.
        cause: What made them differ: stage, settings, words.
    """

    a: Side
    b: Side
    settings: Sequence[Mapping[str, Any]]
    scores: Mapping[str, Any]
    claims: Sequence[Mapping[str, Any]]
    cause: Cause

    @property
    def changed(self) -> list[str]:
        """The claims with another verdict, by id, with the dataset's name where it is a further one."""
        return [_named(claim) for claim in self.claims if claim["a"] != claim["b"]]

    def alike(self, verdict: str) -> list[str]:
        """Return the claims with this verdict in both."""
        return [_named(claim) for claim in self.claims if claim["a"] == claim["b"] == verdict]

    @property
    def same_inputs(self) -> str:
        """Which inputs are the same, in words."""
        same = [stage for stage, name in self.a.made_from.items() if name == self.b.made_from.get(stage)]
        other = [stage for stage in self.a.made_from if stage not in same]
        parts = [f"Same {_and(same)}." if same else "", f"Other {_and(other)}." if other else ""]
        return " ".join(filter(None, parts))

    @property
    def same_scores(self) -> str:
        """How many shared scores agree, in words."""
        shared, identical, largest = (self.scores[key] for key in ("shared", "identical", "largest"))
        if not shared:
            return "They share no score."
        if shared == identical:
            return f"All {shared:,} shared scores are identical."
        values = " and ".join("failed" if largest[side] is None else f"{largest[side]:.3f}" for side in ("a", "b"))
        return f"{shared - identical:,} of {shared:,} shared scores differ, most at {largest['address']}: {values}."

    @property
    def conclusion(self) -> str:
        """What became of the claims, and why, in words."""
        none = bool(self.claims) and all(claim[side] == _NO_VERDICT for claim in self.claims for side in ("a", "b"))
        if none:
            return " ".join(filter(None, ["Neither has a verdict: too little data.", self.cause.words]))
        first = f"{_and(self.changed)} changed." if self.changed else "No verdict changed."
        verdicts = dict.fromkeys(claim["a"] for claim in self.claims if claim["a"] == claim["b"])
        both = [f"{verdict.capitalize()} in both: {', '.join(self.alike(verdict))}." for verdict in verdicts]
        return " ".join(filter(None, [first if self.claims else "They share no claim.", self.cause.words, *both]))


def _named(claim: Mapping[str, Any]) -> str:
    return claim["id"] if claim["dataset"] is None else f"{claim['id']} ({claim['dataset']})"


def compare(a: Published, b: Published) -> Compared:
    """Compare two published results.

    Raises:
        DataMissing: If one is no folder of results.
    """
    sides = (_side(a), _side(b))
    moved = _settings(a.params, b.params)
    settings = [each for each in moved if each["key"].split(".")[0] not in _SETTLED]
    scores = _scores(a, b)
    datasets = [each for each in a.datasets if each in b.datasets]
    claims = [row for dataset in datasets for row in _claims(a, b, dataset)]
    return Compared(*sides, settings, scores, claims, _cause(a, b, settings, scores, claims))


def _side(result: Published) -> Side:
    record = result.manifest
    return Side(
        name=result.name,
        digest=str(record["digest"]).rpartition("-")[2],
        commit=str(record["git_commit"] or "unknown")[:7] + ("" if record["git_clean"] else " with changes"),
        seeds=len(result.seeds),
        rates=len(result.protocol.get("rates", [])),
        trainings=result.trainings,
        made_from={stage: record["made_from"].get(stage) for stage in _STAGES},
    )


def _settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the settings that differ, by dotted key; what one lacks is None, a whole method too."""
    for key in dict.fromkeys([*a, *b]):
        one, other = a.get(key), b.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from ({**row, "key": f"{key}.{row['key']}"} for row in _settings(one, other))
        elif one != other:
            yield {"key": str(key), "a": one, "b": other}


def _scores(a: Published, b: Published) -> dict[str, Any]:
    """Return how many scores both have, how many agree, and the largest difference."""
    stems = [{path.stem for path in result.folder.glob("metrics*.csv")} for result in (a, b)]
    totals = {"shared": 0, "identical": 0, "only_a": 0, "only_b": 0}
    largest: tuple[float, dict[str, Any]] | None = None
    for stem in sorted(stems[0] | stems[1]):
        dataset = stem.removeprefix("metrics").removeprefix("_") or None
        tables = [result.metrics(dataset) if stem in own else None for result, own in zip((a, b), stems, strict=True)]
        if tables[0] is None or tables[1] is None:
            totals["only_b" if tables[0] is None else "only_a"] += next(t.height for t in tables if t is not None)
            continue
        own, other = (table.select(*_KEY, "value") for table in tables if table is not None)
        joined = own.join(other, on=_KEY, suffix="_b", maintain_order="left")
        totals["shared"] += joined.height
        totals["only_a"] += own.height - joined.height
        totals["only_b"] += other.height - joined.height
        same = pl.col("value").eq_missing(pl.col("value_b"))
        totals["identical"] += joined.filter(same).height
        moved = joined.filter(~same).with_columns(by=(pl.col("value") - pl.col("value_b")).abs())
        moved = moved.sort("by", descending=True, nulls_last=True)
        if moved.height and (largest is None or (moved["by"][0] or 0.0) > largest[0]):
            row = moved.row(0, named=True)
            largest = (row["by"] or 0.0, {"address": _address(row, dataset), "a": row["value"], "b": row["value_b"]})
    return {**totals, "largest": largest[1] if largest else None}


def _address(row: Mapping[str, Any], dataset: str | None) -> str:
    variant = "" if row["variant"] == "default" else f".{row['variant']}"
    where = f" on {dataset}" if dataset else ""
    return f"{row['method']}{variant}/{row['condition']}/{row['metric']}{where}, seed {row['seed']}"


def _claims(a: Published, b: Published, dataset: str | None) -> Iterator[dict[str, Any]]:
    """Yield what became of each claim that both have: of its effects, those with the same comparison in both."""
    others = {claim["id"]: claim for claim in b.claims(dataset)}
    for claim in a.claims(dataset):
        other = others.get(claim["id"])
        if other is None:
            continue
        of_other = {compared_as(row): row for row in other["comparisons"] if row["effect"] is not None}
        pairs = [(row, of_other[compared_as(row)]) for row in claim["comparisons"] if compared_as(row) in of_other]
        known = [(row, against) for row, against in pairs if row["effect"] is not None]
        changes = [against["effect"] - row["effect"] for row, against in known]
        yield {
            "id": claim["id"],
            "dataset": dataset,
            "a": claim["verdict"],
            "b": other["verdict"],
            "shared": len(known),
            "largest_change": max(map(abs, changes), default=None),
            "changed_sign": sum(row["effect"] * against["effect"] < 0 for row, against in known),
            "outside_interval": sum(
                row["low"] is not None and not row["low"] <= against["effect"] <= row["high"] for row, against in known
            ),
        }


def compared_as(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a comparison of a claim is of: against, label, victim and rate."""
    return tuple(row.get(key) for key in ("against", "label", "victim", "rate"))


def _cause(
    a: Published,
    b: Published,
    settings: Sequence[Mapping[str, Any]],
    scores: Mapping[str, Any],
    claims: Sequence[Mapping[str, Any]],
) -> Cause:
    """Return the first stage that departs, and the settings that it depends on and that differ."""
    keys = [str(each["key"]) for each in settings]
    if scores["shared"] and scores["identical"] == scores["shared"]:
        extent = [key for key in keys if key.split(".")[0] in _EXTENT]
        changed = any(claim["a"] != claim["b"] for claim in claims)
        if not extent or not (changed or scores["only_a"] or scores["only_b"]):
            return Cause(None, [], "")
        return Cause(None, extent, f"Shared scores agree, so what is compared differs: {_listed(extent)}.")
    made = [result.manifest["made_from"] for result in (a, b)]
    stage = next((each for each in _STAGES if made[0].get(each) != made[1].get(each)), "training")
    to_blame = [key for key in keys if key.split(".")[0] in _SETTINGS_OF[stage]]
    if to_blame:
        return Cause(stage, to_blame, f"First at {stage}, from {_listed(to_blame)}.")
    return Cause(stage, [], f"First at {stage}; settings of it agree, so {_source(a, b)}.")


def _source(a: Published, b: Published) -> str:
    """Return in words what else than a setting made two results differ."""
    versions = [result.manifest["versions"] for result in (a, b)]
    names = [name for name in sorted(versions[0]) if versions[0][name] != versions[1].get(name)]
    if names:
        listed = ", ".join(f"{name} {versions[0][name]} and {versions[1].get(name)}" for name in names)
        return f"versions may be the cause: {listed}"
    commits = [_side(result).commit for result in (a, b)]
    if commits[0] != commits[1]:
        return f"the source may be the cause: commits {commits[0]} and {commits[1]}"
    return "the machine may be the cause: `trml verify` compares machines"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys) if len(keys) <= 4 else f"{', '.join(keys[:4])} and {len(keys) - 4} more"
