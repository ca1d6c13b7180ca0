"""The values that the search on dev chose."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table, plain

_NOTE = (
    "Every method gets the same number of trials, in a Latin hypercube over the values that its configuration names. "
    "Each trial is trained on complete data and at the study rate with each modality missing, on seeds that nothing "
    "else uses. As good are the best trial and those of which the 95 % interval of the difference to it in dev loss, "
    "over these trainings, reaches down to zero. Test labels play no part."
)


def tables(data: Dataset) -> list[Table]:
    """Return a table for each search: the experiment's own, and those of further datasets that differ from it."""
    searches = [data] if data.inputs.searched else []
    searches += [
        other for other in data.others if other.inputs.searched and other.inputs.searched != data.inputs.searched
    ]
    return [_table(searched, i) for i, searched in enumerate(searches)]


def _table(data: Dataset, order: int) -> Table:
    by_name = data.study.by_name
    texts = [
        [
            by_name[name].label,
            str(searched.trials),
            "-" if searched.as_good is None else str(searched.as_good),
            f"{searched.dev_loss:.3f}",
            f"{searched.median_dev_loss:.3f}",
            ", ".join(_chosen(option, value, by_name[name].options) for option, value in searched.options.items()),
        ]
        for name, searched in data.inputs.searched.items()
        if name in by_name
    ]
    header = ["method", "trials", "as good", "dev loss of the best", "of the median trial", "chosen"]
    rows = pl.DataFrame(texts, schema=dict.fromkeys(header, pl.String), orient="row")
    where = data.study.regime or (data.study.dataset or "").replace("_", " ")
    title = "The search on dev" + (f": {where}" if where else "")
    groups = [("", [plain(row) for row in texts])]
    return Table("search", f"search{data.suffix}", title, _NOTE, header, groups, rows, order)


def _chosen(option: str, value: object, options: Mapping[str, Any]) -> str:
    """Return a chosen value in words, and the one that was run instead, if any."""
    run = options.get(option, value)
    return f"{option} {_written(value)}" + (f" (run with {_written(run)})" if run != value else "")


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
