"""What every method costs, beside its scores."""

from typing import Any

import polars as pl

from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return the one table, none where no training was probed."""
    rows = data.analysed.cost if data.analysed else pl.DataFrame()
    if not rows.height:
        return []
    study, victims = data.study, data.study.single_victims
    at = data.compared.filter(
        pl.col("variant") == DEFAULT,
        pl.col("rate") == study.study_rate,
        pl.col("victim").is_in(victims),
        pl.col("metric") == data.primary.name,
    )
    score: dict[tuple[str, str], dict[str, Any]] = {
        (row["method"], row["victim"]): {**row, "leads": False} for row in at.iter_rows(named=True)
    }
    lines = [
        [
            *plain(
                [
                    study.by_name[row["method"]].label,
                    f"{row['parameters']:,}",
                    f"{row['operations'] / 1e6:.3f}",
                    *_trained(data, row["method"]),
                ]
            ),
            *(score_cell(score.get((row["method"], victim))) for victim in victims),
        ]
        for row in rows.iter_rows(named=True)
        if row["method"] in study.by_name
    ]
    header = ["method", "parameters", "million operations", "epochs", "seconds"]
    header += [f"{data.primary.label}, {victim} {study.study_rate:.0%} missing" for victim in victims]
    note = (
        "Operations: floating-point, of the matrix products that predict one utterance from its features; encoding it "
        "is the same for all methods and not counted. Its sequences are as long as the corpus's longest. Epochs and "
        "seconds of a training, mean over all of a method; trainings of a stack share its time, so seconds are those "
        "of a training in company, on "
        f"{', '.join(sorted({cell['device'] for cell in data.cells}))}."
    )
    return [Table("cost", "cost", "What methods cost", note, header, [("", lines)], rows)]


def _trained(data: Dataset, method: str) -> tuple[str, str]:
    """Return the mean number of epochs and of seconds of a method's trainings."""
    done = [cell for cell in data.cells if cell["method"] == method and not cell["failed"]]
    epochs, seconds = (sum(cell[key] for cell in done) / max(1, len(done)) for key in ("epochs_run", "wall_s"))
    return f"{epochs:.1f}", f"{seconds:.1f}"
