"""Where a published number comes from: its table, the scores behind it, predictions, inputs, source and command.

An address is `TABLE/METHOD[.VARIANT]/CONDITION[/METRIC]`, as in `main/trml/vision@0.5`; a claim's table goes by its id
too, as in `C1/zero_fill/text@0.9`. Further words narrow it down: the protocol, `trained@0.5`, the modalities that are
present, any other entry of the row. Only published files are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from trml.base.errors import TrmlError
from trml.base.nearest import ended, nearest
from trml.evaluation.contract import ALL, MATCHED, PUBLISHED, SETTING_A
from trml.methods.config import DEFAULT
from trml.missing.modalities import written
from trml.missing.registry import known_patterns
from trml.report.result_files import manifest_of, params_of, scores_in, table_in

_WHO = ("method", "against", "first")
_NUMBERS = ("value", "effect")  # of a row, the first that it has is what is traced
_BESIDE = ("low", "high", "p", "p_equivalent", "margin")
_RECORDED = ("victim", "rate", "trained", "variant", "second", *_WHO)  # in the words that every row starts with
_USUAL = {"protocol": MATCHED, "present": ALL}  # of rows that an address does not tell apart
_ROUNDED = 1e-6  # published scores have six decimals


@dataclass(frozen=True)
class Row:
    """A row of a published table: of which file (its stem), on which line, and its entries."""

    table: str
    line: int
    entries: Mapping[str, Any]

    @property
    def words(self) -> list[str]:
        """The words of its address after the table."""
        row = self.entries
        who = [str(row[key]) for key in _WHO if row.get(key)]
        if row.get("variant") not in (None, DEFAULT):
            who[0] += f".{row['variant']}"
        if row.get("first") and row.get("second"):
            who.append(str(row["second"]))
        where = [] if row.get("victim") is None else [_at(row["victim"], row.get("rate"))]
        if where == ["complete"]:
            where.append(str(row["victim"]))  # a model of one modality has two scores on complete data
        if row.get("level") is not None:
            where.append(f"level@{row['level']:g}")
        trained = [] if row.get("trained") is None else [f"trained@{row['trained']}"]
        rest = [
            str(value) for key, value in row.items() if isinstance(value, str) and key not in (*_RECORDED, "second")
        ]
        return [*who, *where, *rest, *trained]

    @property
    def address(self) -> str:
        """Its address in full; roles, verdicts and labels for readers do not tell rows apart."""
        told = {str(self.entries.get(key)) for key in ("role", "label", "verdict", "speaks")}
        told -= {str(self.entries.get(key)) for key in _WHO}  # the constant predictor's role is called as it is
        return "/".join([self.table, *(word for word in self.words if word and word not in told)])

    @property
    def number(self) -> float | None:
        """The number that is traced."""
        return next((self.entries[key] for key in _NUMBERS if self.entries.get(key) is not None), None)


@dataclass(frozen=True)
class Traced:
    """Where a number comes from.

    Attributes:
        address: In full.
        value: The number.
        beside: Interval, p-values and margin of its row.
        published: file, line and sha256 of its table.
        scores: Rows of metrics.csv behind it: file, line, method, seed, cell, value, content (of the predictions). None
            where it is no mean of scores.
        follows: Whether the value is the mean of the scores; None for anything else than a method's score.
        predictions: file and sha256 of the predictions of these cells, None where they are not published.
        made_from: Names of corpus, encoder, features and probes.
        source: commit, clean and versions.
        command: What makes the results again.
    """

    address: str
    value: float
    beside: Mapping[str, float | None]
    published: Mapping[str, Any]
    scores: Sequence[Mapping[str, Any]]
    follows: bool | None
    predictions: Mapping[str, Any] | None
    made_from: Mapping[str, Any]
    source: Mapping[str, Any]
    command: str


def trace(result: Path, address: str) -> Traced:
    """Trace the number at an address.

    Raises:
        TrmlError: If no row, or more than one, has the address; it names the nearest, or all.
    """
    row, manifest = _find(result, address), manifest_of(result)
    file, scores = f"tables/{row.table}.csv", list(_scores(result, row))
    suffix = _suffix(result, row.table)
    dataset = manifest["made_from"].get("further", {}).get(suffix[1:]) if suffix else manifest["made_from"]
    cells = f"{PUBLISHED}/cells.parquet"
    number = row.number
    assert number is not None
    is_score = "method" in row.entries and bool(scores) and row.entries.get("present", ALL) == ALL
    return Traced(
        address=row.address,
        value=number,
        beside={key: row.entries[key] for key in _BESIDE if key in row.entries},
        published={"file": file, "line": row.line, "sha256": manifest["files"].get(file)},
        scores=scores,
        follows=abs(sum(s["value"] for s in scores) / len(scores) - number) < 2 * _ROUNDED if is_score else None,
        predictions={"file": cells, "sha256": manifest["files"][cells]} if cells in manifest["files"] else None,
        made_from={key: (dataset or {}).get(key) for key in ("corpus", "encoder", "features", "probes")},
        source={"commit": manifest["git_commit"], "clean": manifest["git_clean"], "versions": manifest["versions"]},
        command=manifest["command"],
    )


def rounding_to(result: Path, number: str) -> list[str]:
    """Return the addresses of all published numbers that are written so when rounded."""
    places = len(number.partition(".")[2])
    rows = (row for table in _tables(result) for row in _rows(result, table))
    return [row.address for row in rows if row.number is not None and f"{row.number:.{places}f}" == number]


def _find(result: Path, address: str) -> Row:
    table, *words = address.split("/")
    known = _tables(result)
    name = next((each for each in (table, f"claim_{table.lower()}") if each in known), None)
    if name is None:
        raise TrmlError(f"{result.name} has no table {table!r}{nearest(table, known)}")
    every = [row for row in _rows(result, name) if row.number is not None]
    if not every:
        raise TrmlError(f"{name} of {result.name} has no row with a number; expected one of each method and condition")
    found = [row for row in every if set(words) <= {*row.words}]
    for key, value in {**_USUAL, "metric": every[0].entries.get("metric")}.items():
        found = [row for row in found if row.entries.get(key) == value] or found
    found = [row for row in found if row.entries.get("trained") == row.entries.get("rate")] or found
    if not found:
        unknown = [word for word in words if not any(word in row.words for row in every)]
        some = nearest(unknown[0], sorted({word for row in every for word in row.words})) if unknown else ""
        raise TrmlError(
            ended(f"{name} of {result.name} has no row {'/'.join(words)}{some}")
            + f" One of its rows: {every[0].address}"
        )
    if len({row.number for row in found}) > 1:
        alone = len({row.address for row in found}) == len(found)
        addresses = (row.address if alone else f"{row.address}/{row.entries.get('label')}" for row in found[:20])
        listed = "\n  ".join(f"{result.name}:{address}" for address in addresses)
        raise TrmlError(f"{len(found)} rows of {name} are {'/'.join(words) or 'all'}. One of them:\n  {listed}")
    return found[0]


def _tables(result: Path) -> list[str]:
    return sorted(path.stem for path in (result / "tables").glob("*.csv"))


def _rows(result: Path, table: str) -> Iterator[Row]:
    entries = table_in(result / f"tables/{table}.csv").iter_rows(named=True)
    return (Row(table, line, row) for line, row in enumerate(entries, start=2))


def _suffix(result: Path, table: str) -> str:
    """Return the end of a table's name that says of which further dataset it is, empty for the own."""
    others = sorted((path.stem.removeprefix("metrics") for path in result.glob("metrics_*.csv")), key=len)
    return next((suffix for suffix in reversed(others) if table.endswith(suffix)), "")


def _scores(result: Path, row: Row) -> Iterator[dict[str, Any]]:
    """Yield the rows of metrics.csv that a row is made from."""
    suffix, entries = _suffix(result, row.table), dict(row.entries)
    if entries.get("rate") is None or entries.get("victim") is None:
        return
    entries["victim"] = _trained_as(result, entries["victim"], entries["rate"])
    file = f"metrics{suffix}.csv"
    metrics = scores_in(result / file).with_row_index("line", 2)
    at = metrics.filter(pl.col("condition") == _at(entries["victim"], entries["rate"]))
    at = at.filter(pl.col("metric") == entries.get("metric", metrics["metric"][0]))
    contents = _contents(result)
    for method, variant in _sides(result, row):
        own = at.filter(method=method, variant=variant)
        trained = entries.get("trained", entries["rate"])
        dev = 1.0 if entries.get("protocol") == SETTING_A else trained
        matched = own.filter(pl.col("train_rate") == trained, pl.col("dev_rate") == dev)
        kept = matched if matched.height else own.filter(pl.col("train_rate") == 0)
        kept = kept.filter(pl.col("train_victim").is_in([entries["victim"], "none"]))
        for score in kept.sort("seed").iter_rows(named=True):
            about = {key: score[key] for key in ("line", "method", "variant", "seed", "cell", "value")}
            yield {"file": file, **about, "content": contents.get(score["cell"])}


def _trained_as(result: Path, victim: str, rate: float) -> str:
    """Return the pattern that scores are named by: where no step of a sequence is left, its modality is missing."""
    if rate != 1:
        return victim
    present = table_in(result / "tables/by_present.csv", columns=["present"])["present"].unique().to_list()
    modalities = tuple(max((word for word in present if word != ALL), key=len).split("+"))
    pattern = known_patterns(modalities).get(victim)  # None of a comparison between patterns
    return written(pattern.lost[0]) if pattern is not None and pattern.level == "step" else victim


def _contents(result: Path) -> dict[str, str]:
    """Return the checksum of each cell's predictions; results of older versions have none."""
    path = result / "cells.csv"
    if not path.is_file():
        return {}
    rows = table_in(path, {"cell": pl.String, "content": pl.String}, ["cell", "content"])
    return dict(rows.select("cell", "content").iter_rows())


def _sides(result: Path, row: Row) -> list[tuple[str, str]]:
    """Return the methods and variants that a row is about: of a claim, the proposed one's too."""
    if "method" in row.entries:
        return [(str(row.entries["method"]), str(row.entries.get("variant", DEFAULT)))]
    if "first" in row.entries:
        return [(str(row.entries[key]), DEFAULT) for key in ("first", "second")]
    methods = params_of(result)["methods"]
    proposed = next((name for name, config in methods.items() if config["role"] == "proposed"), None)
    against = str(row.entries.get("against"))
    known = set(scores_in(result / "metrics.csv")["method"])
    return [(proposed, DEFAULT), (against, DEFAULT) if against in known else (proposed, against)] if proposed else []


def _at(victim: str, rate: float | None) -> str:
    if rate is None:
        return victim
    return "complete" if rate == 0 and victim != "trained" else f"{victim}@{rate:g}"
