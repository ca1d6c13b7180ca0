"""Training pattern against present modalities, as a heat map of the proposed method."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from trml.evaluation.contract import StudyMethod
from trml.missing.modalities import subsets, written
from trml.report.dataset import Dataset
from trml.report.figures.common.draw import score
from trml.report.figures.common.drawn import Drawn
from trml.report.figures.common.heat import annotate
from trml.report.style import SEQUENTIAL, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none for an experiment without a proposed method."""
    method = data.study.proposed
    if method is None or data.matrix.filter(pl.col("method") == method.name).is_empty():
        return
    caption = (
        f"{method.label} with each set of modalities present in every test utterance (columns), by what was missing in "
        "training (rows). Brighter is better; the table has every method."
    )
    yield Drawn("matrix", "matrix", caption, _matrix(data, method))


def _matrix(data: Dataset, method: StudyMethod) -> Figure:
    metric = data.primary
    present = [written(modalities) for modalities in subsets(data.study.modalities)]
    titles, lines = [], []
    for title, part in data.trainings:
        mine = part.filter(pl.col("method") == method.name, pl.col("metric") == metric.name)
        value = {row["present"]: row["value"] for row in mine.iter_rows(named=True)}
        titles.append(title)
        lines.append([value.get(word) for word in present])
    scores = np.array(lines, dtype=float)
    size = (0.62 * len(present) + 4.0, 0.34 * len(titles) + 1.1)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    image = axis.imshow(scores, cmap=SEQUENTIAL if metric.higher_is_better else f"{SEQUENTIAL}_r", aspect="auto")
    annotate(axis, scores, metric)
    axis.set_xticks(range(len(present)), [word.replace("+", "\n+ ") for word in present])
    axis.set_yticks(range(len(titles)), titles)
    axis.grid(visible=False)
    axis.set_xlabel("modalities present at evaluation")
    figure.colorbar(image, ax=axis, label=score(metric))
    return figure
