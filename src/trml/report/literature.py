"""Figures that others published (published.csv, each row with its source), and whether they may stand beside ours."""

from pathlib import Path

import polars as pl

from trml.config.params import Params

_CORPORA = {"mosi": "CMU-MOSI", "mosei": "CMU-MOSEI"}

OURS = "text,vision"


def published(params: Params) -> pl.DataFrame:
    """The published rows on the experiment's corpus."""
    table = pl.read_csv(Path(__file__).parent / "published.csv")
    return table.filter(pl.col("dataset") == _CORPORA.get(params.corpus.kind, ""))


def published_words(params: Params) -> str:
    """What the page says of published figures. One stands beside ours only where corpus, modalities and protocol
    match."""
    rows = published(params)
    if rows.is_empty():
        return "No published figure is known on this corpus."
    other = rows.filter(pl.col("modalities") != OURS)
    if other.height == rows.height:
        modalities = ", ".join(sorted(rows["modalities"].unique()))
        return (
            f"{rows.height} published figures on {rows['dataset'][0]} are known (src/trml/report/published.csv, with "
            f"sources), all of {modalities}: our methods have {OURS}, so none of them stands beside ours."
        )
    protocols = ", ".join(sorted(set(rows["protocol"]) - set(other["protocol"])))
    return (
        f"Published figures of {OURS} on {rows['dataset'][0]} were made under other protocols than ours: {protocols}."
    )
