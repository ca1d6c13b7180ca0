"""The primary score of a method over one of its options."""

from collections.abc import Iterator, Sequence

import polars as pl
from matplotlib.figure import Figure

from trml.evaluation.contract import StudyMethod, StudyVariant
from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN, score
from trml.report.figures.common.drawn import Drawn
from trml.report.sections import further
from trml.report.style import look, plt


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield one figure per method and swept option, in each regime."""
    for each in data.studied:
        for i, method in enumerate(each.study.methods):
            yield from _of_method(each, method, 200 + i)


def _of_method(data: Dataset, method: StudyMethod, order: int) -> Iterator[Drawn]:
    for option in dict.fromkeys(next(iter(v.options)) for v in method.variants if v.kind == "sweep"):
        caption = (
            f"{method.label} over its {option}, {data.study.at_study_rate}. "
            "Open marker: the default. Bands: 95 % intervals."
        )
        figure, section = _sweep(data, method, option, method.swept(option)), further(data.study) or "studies"
        yield Drawn(section, f"sweep_{method.name}_{option}{data.suffix}", caption, figure, order)


def _sweep(data: Dataset, method: StudyMethod, option: str, variants: Sequence[StudyVariant]) -> Figure:
    """Draw a line for each missing modality."""
    metric = data.primary
    figure, axis = plt.subplots(figsize=(COLUMN, 2.5), layout="constrained")
    values = [variant.options[option] for variant in variants]
    order = pl.DataFrame({"variant": [variant.name for variant in variants], "x": values})
    part = data.summary.filter(
        pl.col("protocol") == data.study.training, pl.col("method") == method.name, pl.col("metric") == metric.name
    )
    for i, victim in enumerate(data.study.single_victims):
        series = part.filter(pl.col("victim") == victim).join(order, on="variant", how="inner").sort("x")
        style = look(i)
        axis.plot(series["x"], series["value"], label=f"{victim} missing", **style)  # type: ignore[arg-type]
        axis.fill_between(series["x"], series["low"], series["high"], color=style["color"], alpha=0.12, linewidth=0)
        default = series.filter(pl.col("x") == method.options[option])
        open_marker = {**style, "linestyle": "", "markerfacecolor": "none", "markersize": "8"}
        axis.plot(default["x"], default["value"], **open_marker)  # type: ignore[arg-type]
    positive = [value for value in values if value > 0]
    if len(positive) == len(values):
        axis.set_xscale("log")
    elif min(values) == 0 and positive:
        axis.set_xscale("symlog", linthresh=min(positive))  # or 0 and 0.01 stand on each other
    axis.set_xticks(sorted(values), [f"{value:g}" for value in sorted(values)], rotation=60)
    axis.minorticks_off()
    axis.set_xlabel(option)
    axis.set_ylabel(score(metric))
    figure.legend(loc="outside upper center", ncols=2)
    return figure
