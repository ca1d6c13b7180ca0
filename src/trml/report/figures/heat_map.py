"""The primary score of a method over two of its options."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from trml.evaluation.contract import StudyMethod, StudyVariant
from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN, score
from trml.report.figures.common.drawn import Drawn
from trml.report.figures.common.heat import annotate
from trml.report.style import SEQUENTIAL, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield one figure per method and grid of two options that take several values each."""
    for i, method in enumerate(data.study.methods):
        for grid in dict.fromkeys(tuple(v.options) for v in method.variants if v.kind == "grid"):
            points = [v for v in method.variants if v.kind == "grid" and tuple(v.options) == grid]
            if len(grid) == 2 and all(len({point.options[option] for point in points}) > 1 for option in grid):
                caption = (
                    f"{method.label} over {' and '.join(grid)}, {data.study.at_study_rate}; brighter is better. "
                    "Framed: the default, where it is on the grid."
                )
                figure = _heat_map(data, method, grid, points)
                yield Drawn("studies", f"grid_{method.name}_{'_'.join(grid)}", caption, figure, i)


def _heat_map(data: Dataset, method: StudyMethod, grid: tuple[str, str], points: Sequence[StudyVariant]) -> Figure:
    """Draw a panel for each missing modality."""
    row_option, column_option = grid
    metric, victims = data.primary, data.study.single_victims
    rows, columns = (list(dict.fromkeys(point.options[option] for point in points)) for option in grid)
    variant = {(point.options[row_option], point.options[column_option]): point.name for point in points}
    part = data.summary.filter(
        pl.col("protocol") == data.study.training, pl.col("method") == method.name, pl.col("metric") == metric.name
    )
    value = {(row["variant"], row["victim"]): row["value"] for row in part.iter_rows(named=True)}
    size = (COLUMN * len(victims), 2.6)
    figure, axes = plt.subplots(1, len(victims), figsize=size, squeeze=False, sharey=True, layout="constrained")
    default = tuple(method.options.get(option) for option in grid)
    for axis, victim in zip(axes[0], victims, strict=True):
        scores = np.array([[value.get((variant.get((a, b)), victim)) for b in columns] for a in rows], dtype=float)
        image = axis.imshow(scores, cmap=SEQUENTIAL if metric.higher_is_better else f"{SEQUENTIAL}_r", aspect="auto")
        annotate(axis, scores, metric)
        if default[0] in rows and default[1] in columns:
            corner = columns.index(default[1]) - 0.5, rows.index(default[0]) - 0.5
            axis.add_patch(plt.Rectangle(corner, 1, 1, fill=False, edgecolor="#D55E00", linewidth=1.8))
        axis.set_xticks(range(len(columns)), [f"{b:g}" for b in columns])
        axis.set_yticks(range(len(rows)), [f"{a:g}" for a in rows])
        axis.grid(visible=False)
        axis.set_xlabel(column_option)
        axis.set_title(f"{victim} missing")
        figure.colorbar(image, ax=axis, label=score(metric))
    axes[0][0].set_ylabel(row_option)
    return figure
