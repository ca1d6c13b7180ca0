"""Labels and durations of each corpus, by split."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from trml.corpora.contract import SPLITS
from trml.report.card import Card
from trml.report.dataset import Dataset
from trml.report.figures.common.drawn import Drawn
from trml.report.style import look, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield one figure per corpus."""
    for i, each in enumerate(data.corpora):
        card = each.card
        timed = _seconds(card)["s"].n_unique() > 1
        caption = f"{card.info.name}: labels by split" + (", and the lengths of its utterances." if timed else ".")
        yield Drawn("cards", card.table.name, caption, _draw(card, timed), i)


def _draw(card: Card, timed: bool) -> Figure:
    """Draw the labels and, where they differ, the durations."""
    figure, axes = plt.subplots(1, 1 + timed, figsize=(3.4 * (1 + timed), 2.2), squeeze=False, layout="constrained")
    words, places = card.labels["label"].to_list(), np.arange(card.labels.height)
    for i, split in enumerate(SPLITS):
        shares = card.labels[split].to_numpy() / max(1, card.labels[split].sum())
        axes[0, 0].bar(places + (i - 1) * 0.27, shares, 0.25, color=look(i)["color"], label=split)
    axes[0, 0].set_xticks(places, words, rotation=30 if max(map(len, words)) > 4 else 0)
    axes[0, 0].set(xlabel="label" if card.info.classes else "label, rounded", ylabel="share of the split")
    axes[0, 0].grid(axis="x", visible=False)
    axes[0, 0].set_axisbelow(True)
    axes[0, 0].legend()
    if timed:
        seconds = _seconds(card)
        longest = max(1.0, float(seconds["s"].quantile(0.99) or 1.0))
        for i, split in enumerate(SPLITS):
            values = seconds.filter(pl.col("split") == split)["s"].clip(0, longest).to_numpy()
            weights = np.full(len(values), 1 / max(1, len(values)))
            look_of = {"weights": weights, "histtype": "step", "color": look(i)["color"]}
            axes[0, 1].hist(values, 30, range=(0, longest), **look_of)
        axes[0, 1].set(xlabel="seconds (the last bin: and longer)", ylabel="share of the split")
    return figure


def _seconds(card: Card) -> pl.DataFrame:
    """Return split and length in seconds of the utterances whose length is known."""
    seconds = card.utterances.select("split", s=pl.col("end_s") - pl.col("start_s"))
    return seconds.filter(pl.col("s") > 0)
