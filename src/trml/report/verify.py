"""Whether two results of one experiment are the same, the same within statistics, or differ, and where they depart.

On one machine the same recipes give the same bytes, so any other byte is a difference. Another processor, thread count
or library rounds otherwise, and training amplifies it: there each method's scores must be equivalent, by two one-sided
t tests over the seeds of the mean difference over all its conditions, and no claim may be supported in one result and
refuted in the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from scipy.stats import t

from trml.base.errors import DataMissing
from trml.report.contract import other_files
from trml.report.result_files import altered, claims_in, in_words, manifest_of, scores_in, table_in

Outcome = Literal["same", "within", "differs"]

STAGES = ("corpus", "encoder", "features", "references", "cells", "probes")
ALPHA = 0.05  # of each one-sided test
MARGIN = 0.05  # of the constant predictor's score, where no claim has a margin
_KEY = ["method", "variant", "train_victim", "train_rate", "dev_rate", "seed", "condition", "metric"]
_MACHINE = ("processor", "flags", "devices", "instructions", "threads", "environment", "blas")


class Departure(NamedTuple):
    """The first stage that departs: its name, with the dataset's where it is a further one, and what each has."""

    stage: str
    expected: str
    found: str


@dataclass(frozen=True)
class Verification:
    """What comparing two results gives.

    Attributes:
        outcome: The verdict.
        exact: Whether all compared files have the same bytes.
        files: How many files were compared.
        other_files: The names of those with other bytes, or that are not as the manifest beside them says.
        scores: How many scores both have.
        other_scores: How many of them differ.
        largest: The largest difference of a score and where it is, None without one.
        claims: id, dataset, published, found, effects, outside_interval, changed_sign.
        equivalence: method, difference, low, high, margin, equivalent.
        first: The first stage that departs, None where none is known to.
        cause: What probably made it depart, in words; files that are not as their manifest says come first.
    """

    outcome: Outcome
    exact: bool
    files: int
    other_files: Sequence[str]
    scores: int
    other_scores: int
    largest: tuple[float, str] | None
    claims: Sequence[Mapping[str, Any]]
    equivalence: Sequence[Mapping[str, Any]]
    first: Departure | None
    cause: str


class _Result(NamedTuple):
    """A folder of results and its manifest."""

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> "_Result":
        return cls(folder, manifest_of(folder))

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        """The rows of cells.csv by cell."""
        path = self.folder / "cells.csv"
        rows = table_in(path, columns=["cell"]).cast(pl.String).to_dicts() if path.is_file() else []
        return {row["cell"]: row for row in rows}

    @property
    def commit(self) -> str:
        """The commit that the results are of, in words."""
        commit = (self.manifest["git_commit"] or "unknown")[:7]
        return commit if self.manifest["git_clean"] else f"{commit} with changes"


def verify(published: Path, found: Path) -> Verification:
    """Compare two results folders, the published one first.

    Checksums are those of manifest.json, and each file that is compared is held against them: results with a file that
    was changed or removed after they were made are never the same.

    Raises:
        ContractError: If a file has not the form of published results.
        DataMissing: If one is no folder of results.
    """
    theirs, ours = _Result.of(published), _Result.of(found)
    names, other = other_files(theirs.manifest["files"], ours.manifest["files"])
    changed = [(folder, _altered(folder)) for folder in dict.fromkeys((published, found))]
    other = sorted({*other, *(name for _, files in changed for name in files)})
    scores = _scores(published, found)
    different = scores.filter(pl.col("difference") != 0).sort(pl.col("difference").abs(), descending=True)
    claims = [row for name in _names(published, found, "claims") for row in _claims(published, found, name)]
    equivalence = _equivalence(scores, _margin(published))
    recipe, held = _first_recipe(theirs, ours), _first_content(theirs, ours)
    machines = _machines(theirs.manifest, ours.manifest)
    touched = [f"{folder} is not as its manifest.json says: {in_words(files)}" for folder, files in changed if files]
    departs = bool(recipe or other or different.height)
    if not departs:
        outcome: Outcome = "same"
    elif recipe or not machines or touched:
        outcome = "differs"
    else:
        flipped = [row for row in claims if {row["published"], row["found"]} == {"supported", "refuted"}]
        fine = not flipped and scores.height > 0 and all(row["equivalent"] for row in equivalence)
        outcome = "within" if fine else "differs"
    return Verification(
        outcome=outcome,
        exact=not other and not different.height,
        files=len(names),
        other_files=other,
        scores=scores.height,
        other_scores=different.height,
        largest=(abs(different["difference"][0]), _address(different.row(0, named=True))) if different.height else None,
        claims=claims,
        equivalence=equivalence,
        first=recipe or held,
        cause="; ".join(
            [*touched, *([_cause(theirs, ours, recipe, held)] if departs and (recipe or not touched) else [])]
        ),
    )


def _altered(folder: Path) -> dict[str, str]:
    """Return the compared files of results that are not as their manifest says; results are what their files hold."""
    found = altered(folder)
    return {name: found[name] for name in other_files(found, {})[0]}


def _names(published: Path, found: Path, start: str) -> list[str]:
    """Return the names, without suffix, of files that both have: `metrics` or `claims`, of each dataset."""
    suffix = ".json" if start == "claims" else ".csv"
    mine, yours = ({p.stem for p in folder.glob(f"{start}*{suffix}")} for folder in (published, found))
    return sorted(mine & yours)


def _scores(published: Path, found: Path) -> pl.DataFrame:
    """Return the scores that both have: the columns of metrics.csv, `dataset`, `ours` and `difference`."""
    parts = []
    for name in _names(published, found, "metrics"):
        theirs, ours = (scores_in(folder / f"{name}.csv") for folder in (published, found))
        joined = theirs.join(ours.select(*_KEY, pl.col("value").alias("ours")), on=_KEY)
        parts.append(joined.with_columns(dataset=pl.lit(name.removeprefix("metrics").removeprefix("_") or None)))
    if not parts:
        raise DataMissing(f"{published} and {found} share no metrics.csv; expected results to compare")
    every = pl.concat(parts, how="vertical_relaxed")
    return every.with_columns(difference=(pl.col("ours") - pl.col("value")).fill_null(0.0))


def _claims(published: Path, found: Path, name: str) -> Iterator[dict[str, Any]]:
    ours = {claim["id"]: claim for claim in claims_in(found / f"{name}.json")}
    for claim in claims_in(published / f"{name}.json"):
        if claim["id"] not in ours:
            continue
        of = {_of(row): row for row in ours[claim["id"]]["comparisons"]}
        pairs = [(row, of[_of(row)]) for row in claim["comparisons"] if _of(row) in of]
        known = [(a, b) for a, b in pairs if a["effect"] is not None and b["effect"] is not None]
        yield {
            "id": claim["id"],
            "dataset": name.removeprefix("claims").removeprefix("_") or None,
            "published": claim["verdict"],
            "found": ours[claim["id"]]["verdict"],
            "effects": len(known),
            "outside_interval": sum(
                a["low"] is not None and not a["low"] <= b["effect"] <= a["high"] for a, b in known
            ),
            "changed_sign": sum(a["effect"] * b["effect"] < 0 for a, b in known),
        }


def _of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in ("against", "label", "victim", "rate"))


def _margin(published: Path) -> float:
    """Return the margin of equivalence of the published claims, the narrowest; else MARGIN."""
    margins = [row["margin"] for claim in claims_in(published / "claims.json") for row in claim["comparisons"]]
    return min((margin for margin in margins if margin), default=MARGIN)


def _equivalence(scores: pl.DataFrame, margin: float) -> list[dict[str, Any]]:
    """Return, for each method, the mean difference of the primary metric with its 90 % interval over seeds."""
    rows = []
    primary = scores.filter(pl.col("metric") == scores["metric"].first()) if scores.height else scores
    for (method,), part in primary.group_by("method", maintain_order=True):
        of_seeds = part.group_by("seed").agg(pl.col("difference").mean())["difference"].to_numpy()
        mean, half = float(of_seeds.mean()), np.inf
        if len(of_seeds) > 1:
            half = float(t.ppf(1 - ALPHA, len(of_seeds) - 1) * of_seeds.std(ddof=1) / np.sqrt(len(of_seeds)))
        low, high = mean - half, mean + half
        about = {"method": method, "difference": mean, "low": low, "high": high, "margin": margin}
        rows.append({**about, "equivalent": -margin < low and high < margin})
    return rows


def _first_recipe(theirs: _Result, ours: _Result) -> Departure | None:
    """Return the first stage whose recipe departs: results of another configuration, source or version."""
    pairs = list(_datasets(theirs, ours, "made_from"))
    for stage in ("corpus", "encoder", "features"):
        for dataset, a, b in pairs:
            if a.get(stage) != b.get(stage):
                return Departure(_staged(stage, dataset), str(a.get(stage)), str(b.get(stage)))
    mine, yours = set(theirs.cells), set(ours.cells)
    if mine != yours:
        only = [min(one - other, default="none more") for one, other in ((mine, yours), (yours, mine))]
        return Departure("cells", *only)
    return None


def _first_content(theirs: _Result, ours: _Result) -> Departure | None:
    """Return the first stage whose content departs; of cells, the first that does."""
    pairs = list(_datasets(theirs, ours, "content"))
    for stage in STAGES:
        for dataset, a, b in pairs:
            if a.get(stage) and b.get(stage) and a[stage] != b[stage]:
                if stage == "cells":
                    return _first_cell(theirs, ours)
                return Departure(_staged(stage, dataset), a[stage], b[stage])
    return None


def _first_cell(theirs: _Result, ours: _Result) -> Departure | None:
    found = ours.cells
    for name, cell in theirs.cells.items():
        if name in found and cell["content"] != found[name]["content"]:
            where = f"cells ({cell['method']}, {cell['variant']}, {name})"
            return Departure(where, str(cell["content"]), str(found[name]["content"]))
    return None


def _datasets(theirs: _Result, ours: _Result, key: str) -> Iterator[tuple[str | None, Any, Any]]:
    """Yield an entry of both manifests for each dataset that both have, the own one first, as None."""
    a, b = (result.manifest.get(key, {}) for result in (theirs, ours))
    yield None, a, b
    for dataset in a.get("further", {}):
        if dataset in b.get("further", {}):
            yield dataset, a["further"][dataset], b["further"][dataset]


def _staged(stage: str, dataset: str | None) -> str:
    return stage if dataset is None else f"{stage} of {dataset}"


def _machines(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Return in words what differs between the versions of libraries and the machines, of two manifests."""
    a, b = theirs["machine"], ours["machine"]
    differing = [key for key in _MACHINE if a.get(key) != b.get(key)]
    return [
        *_versions(theirs, ours),
        *(f"{key} {_short(b.get(key))} here, {_short(a.get(key))} there" for key in differing),
    ]


def _versions(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    a, b = theirs["versions"], ours["versions"]
    differing = [name for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]
    return [f"{name} {b.get(name)} here, {a.get(name)} there" for name in differing]


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in value.items()) or "none"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _cause(theirs: _Result, ours: _Result, recipe: Departure | None, held: Departure | None) -> str:
    """Return in words what probably made two results depart."""
    if recipe:
        same = (theirs.folder / "params.yaml").read_text() == (ours.folder / "params.yaml").read_text()
        source = f"other source: commit {ours.commit} here, {theirs.commit} there"
        settings = "other settings: see params.yaml of both"
        return "; ".join(_versions(theirs.manifest, ours.manifest)) or (source if same else settings)
    machines = _machines(theirs.manifest, ours.manifest)
    what = f"{held.stage} was changed" if held else "a file was changed"
    return "; ".join(machines) or f"{what} after it was made: machine, versions and recipes are the same"


def _address(score: Mapping[str, Any]) -> str:
    """Return where a score is, as metrics.csv names it."""
    dataset = f"{score['dataset']}: " if score["dataset"] else ""
    variant = "" if score["variant"] == "default" else f".{score['variant']}"
    return f"{dataset}{score['method']}{variant}/{score['condition']}/{score['metric']}, seed {score['seed']}"
