"""Whether results are fit to be published: what a reader should know of them first.

Every fault has a severity: 1, to know; 2, to distrust what it touches; 3, not to be published.
"""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from trml.evaluation.contract import ALL, FEWEST_GROUPS, FEWEST_SEEDS
from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset

BROKEN = 3  # the severity that is not published
_SOME, _MANY = 0.05, 0.2  # shares of failed trainings that are severe, and too many


class Fault(NamedTuple):
    """Something wrong with results: how severe it is, 1 to 3, and what it is, in a sentence."""

    severity: int
    words: str


def faults(data: Dataset) -> list[Fault]:
    """Return the faults of an experiment, the worst first."""
    datasets = [data, *data.others]
    every = [*_failed(datasets), *(fault for each in datasets for fault in _of_dataset(each)), *_edges(data)]
    return sorted(dict.fromkeys(every), key=lambda fault: -fault.severity)


def _failed(datasets: list[Dataset]) -> Iterator[Fault]:
    by_digest = {cell["digest"]: cell["failed"] for each in datasets for cell in each.cells}
    failed = sum(reason is not None for reason in by_digest.values())
    if failed:
        share = failed / len(by_digest)
        severity = 1 + (share > _SOME) + (share > _MANY)
        yield Fault(severity, f"{failed} of {len(by_digest)} trainings failed ({share:.0%}).")


def _of_dataset(data: Dataset) -> Iterator[Fault]:
    study, metric = data.study, data.primary
    where = f" ({study.dataset})" if study.dataset else ""
    if len(study.seeds) < FEWEST_SEEDS:
        yield Fault(1, f"{len(study.seeds)} seeds{where}: nothing is tested with fewer than {FEWEST_SEEDS}.")
    groups = data.groups
    if groups < FEWEST_GROUPS:
        yield Fault(
            2, f"The test utterances{where} are of {groups} groups: nothing is tested on fewer than {FEWEST_GROUPS}."
        )
    rows = data.summary.filter(pl.col("metric") == metric.name, pl.col("variant") == DEFAULT)
    yield from _impossible(data, rows, where)
    yield from _no_better_than_constant(data, where)


def _impossible(data: Dataset, rows: pl.DataFrame, where: str) -> Iterator[Fault]:
    """Yield the methods that beat the exact ceiling by twice the reach of an interval: something must have leaked.

    Of many scores near the ceiling some lie a little above it on a sample.
    """
    key = ["protocol", "victim", "trained", "rate"]
    best = rows.filter(pl.col("method") == "ceiling").select(*key, best="value")
    methods = rows.filter(pl.col("method").is_in(list(data.study.by_name))).join(best, on=key, how="inner")
    beyond = (pl.col("value") - pl.col("best")) * (1 if data.primary.higher_is_better else -1)
    for name in methods.filter(beyond > pl.col("high") - pl.col("low"))["method"].unique(maintain_order=True):
        label = data.study.by_name[name].label
        yield Fault(3, f"{label} is better than the exact ceiling{where}, which cannot be: test labels leaked.")


def _no_better_than_constant(data: Dataset, where: str) -> Iterator[Fault]:
    """Yield the methods that on complete data are shown to be no better than the constant predictor.

    A method of one modality is another model for each pattern, and has no one score on complete data.
    """
    pairs = data.pairs.filter(
        pl.col("rate") == 0, pl.col("present") == ALL, pl.col("metric") == data.primary.name
    ).unique(("first", "second"), maintain_order=True)
    judged = {row["first"]: row["verdict"] for row in pairs.iter_rows(named=True) if row["second"] == "constant"}
    shared = {method.name for method in data.study.methods if not method.single}
    bad = [name for name, verdict in judged.items() if name in shared and verdict in ("worse", "equivalent")]
    if bad:
        labels = ", ".join(data.study.by_name[name].label for name in bad)
        yield Fault(2, f"On complete data{where} no better than the constant predictor: {labels}.")


def _edges(data: Dataset) -> Iterator[Fault]:
    """Yield the chosen options that lie at an end of the values that were tried."""
    at_end = []
    for name, searched in data.inputs.searched.items():
        tried = data.inputs.params["methods"].get(name, {}).get("search", {})
        for option, value in searched.options.items():
            numbers = [v for v in tried.get(option, []) if isinstance(v, (int, float)) and not isinstance(v, bool)]
            if len(numbers) > 1 and value in (min(numbers), max(numbers)) and value != 0:
                at_end.append(f"{name}.{option} = {value:g}")
    if at_end:
        yield Fault(
            1, f"The search on dev chose the end of a range, which may be a natural bound: {', '.join(at_end)}."
        )
