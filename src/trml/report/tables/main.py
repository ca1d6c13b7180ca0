"""Main results: every method on complete data and at the shown missing rates of each modality."""

from typing import Any

import polars as pl

from trml.base.printable import plural
from trml.evaluation.contract import MATCHED
from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.sections import further, sentence
from trml.report.tables.common.rows import BOLD, Rows, metric_groups, upper_words
from trml.report.tables.common.table import Table


def tables(data: Dataset) -> list[Table]:
    """Return the main table of the experiment's own dataset and of each further one that is shown."""
    own = main_table(data, "curves", "main", "Main results")
    shown = [(other, further(other.study)) for other in data.others]
    return [own] + [
        main_table(
            other,
            section,
            f"main{other.suffix}",
            sentence(other.study.regime)
            if other.study.purpose == "regime"
            else f"{other.study.dataset}: {other.card.info.name} through {other.features.weights}",
        )
        for other, section in shown
        if section is not None
    ]


def main_table(data: Dataset, section: str, name: str, title: str) -> Table:
    """Return the main table of one dataset."""
    study = data.study
    columns = [(study.single_victims[0], 0.0)] if 0.0 in study.rates and study.single_victims else []
    columns += [(victim, rate) for victim in study.single_victims for rate in study.shown_rates if rate > 0]
    header = ["method", *("complete" if rate == 0 else f"{v} {rate:.0%} missing" for v, rate in columns)]
    rows = data.compared.filter(pl.col("variant") == DEFAULT)
    single = {method.name for method in study.methods if method.single}

    def find(rows: Rows, method: str, column: Any) -> dict[str, Any] | None:
        victim, rate = column
        return None if rate == 0 and method in single else rows.get((method, victim, study.training_rate(rate), rate))

    seeds = f"{len(study.seeds)} {plural('seed', len(study.seeds))}"
    note = (
        f"Mean over {seeds} with a 95 % interval over seeds and groups of test utterances. "
        f"{sentence(study.at_rate('the same missing rate' if study.training == MATCHED else 'each missing rate'))}. "
        f"{upper_words(study)} {BOLD} Empty: a method that is another "
        "model for each missing modality has no single score on complete data."
    ).replace("  ", " ")
    return Table(section, name, title, note, header, metric_groups(study, rows, data.headline, columns, find), rows)
