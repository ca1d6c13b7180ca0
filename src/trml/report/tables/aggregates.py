"""One number a method, and every two methods side by side."""

import polars as pl

from trml.evaluation.contract import ALL
from trml.report.dataset import Dataset
from trml.report.sections import further
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Cell, Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return both tables of the experiment's own dataset and of each further corpus, none where nothing is scaled."""
    return [
        table for each in data.corpora if each.aggregates.height for table in (_aggregates(each), _improvement(each))
    ]


def _order(data: Dataset) -> list[str]:
    """Return the methods, the best aggregate first."""
    rows = data.aggregates.filter(pl.col("victim") == ALL, pl.col("method").is_in(list(data.study.entries)))
    return rows.sort("rank", -pl.col("value"))["method"].to_list()


def _aggregates(data: Dataset) -> Table:
    study, rows = data.study, data.aggregates
    victims = [*study.single_victims, ALL]
    by_key = {(row["method"], row["victim"]): row for row in rows.iter_rows(named=True)}

    def cells(method: str, victim: str) -> list[Cell]:
        row = by_key[method, victim]
        return [score_cell({**row, "leads": row["rank"] == 1, "failed": 0}), (str(row["rank"]), False)]

    lines = [
        [*plain([study.entries[name]]), *(cell for victim in victims for cell in cells(name, victim))]
        for name in _order(data)
    ]
    names = ["all" if victim == ALL else f"{victim} missing" for victim in victims]
    header = ["method", *(word for name in names for word in (name, "rank"))]
    note = (
        f"{data.primary.label} on the scale from the constant predictor (0) to the best there can be (1): the exact "
        "ceiling of each condition or, where none is known, the upper bound on complete data. Mean over the missing "
        f"rates above 0 with 95 % intervals, {study.at_rate('the same rate')}. Rank: one more than the number of "
        "methods that are significantly better (Holm, 5 %), so methods that cannot be told apart may share it."
    )
    section = further(study) or "curves"
    return Table(section, f"aggregates{data.suffix}", "One number a method", note, header, [("", lines)], rows, 3)


def _improvement(data: Dataset) -> Table:
    rows = data.improvement.filter(pl.col("victim") == ALL)
    chances = {(row["first"], row["second"]): row["probability"] for row in rows.iter_rows(named=True)}
    chances |= {(second, first): 1 - chance for (first, second), chance in chances.items()}
    order = _order(data)
    lines = [
        plain(
            [
                f"{i + 1} {data.study.entries[name]}",
                *(f"{chances[name, other]:.2f}" if name != other else "" for other in order),
            ]
        )
        for i, name in enumerate(order)
    ]
    note = (
        f"How often a training of a row's method is better than one of a column's in {data.primary.label}, over pairs "
        "of seeds and the conditions of the table before. The csv has the difference of their aggregates, its interval "
        "and the verdict, by missing modality."
    )
    header = ["method", *(str(i + 1) for i in range(len(order)))]
    section = further(data.study) or "curves"
    title = "Probability of improvement"
    return Table(section, f"improvement{data.suffix}", title, note, header, [("", lines)], data.improvement, 4)
