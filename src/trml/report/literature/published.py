"""Figures that others published (published.csv, each row with its source), and whether they are comparable to ours."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from trml.missing.modalities import in_order

FILE = Path(__file__).parent / "published.csv"


def published(corpora: Sequence[str]) -> pl.DataFrame:
    """Return the published rows on corpora, named as in the column `dataset`."""
    return pl.read_csv(FILE).filter(pl.col("dataset").is_in(list(corpora)))


def published_words(corpora: Sequence[str], modalities: Sequence[str]) -> str:
    """Return what the page says of published figures.

    A published figure is comparable only where corpus, modalities and protocol match.

    Args:
        corpora: Names of the experiment's corpora as in the column `dataset`.
        modalities: The experiment's modalities.
    """
    rows = published(corpora)
    if rows.is_empty():
        return "No published figure is on file for this corpus."
    ours, columns = in_order(modalities), rows.rows(named=True)
    same = [row for row in columns if in_order(row["modalities"].split(",")) == ours]
    datasets = " and ".join(rows["dataset"].unique(maintain_order=True))
    on_file = f"{rows.height} published figures on {datasets} are on file (src/trml/report/literature/published.csv)."
    if not same:
        theirs = "; ".join(sorted(set(rows["modalities"].str.replace_all(",", ", "))))
        return f"{on_file} All are of {theirs}. Ours are of {', '.join(ours)}, so none is comparable."
    count = "All" if len(same) == rows.height else str(len(same))
    protocols = "; ".join(sorted({row["protocol"] for row in same}))
    return (
        f"{on_file} {count} are of our modalities, {', '.join(ours)}, but made under other protocols: {protocols}. "
        "None is comparable."
    )
