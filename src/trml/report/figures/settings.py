"""Settings A and B as intervals."""

from collections.abc import Iterator

import polars as pl
from matplotlib.figure import Figure

from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.figures.common.draw import intervals, score
from trml.report.figures.common.drawn import Drawn
from trml.report.style import GREY, plt

_CAPTION = (
    "Settings A and B at each share p of complete training utterances, with 95 % intervals. Vertical line: the upper "
    "bound, trained and evaluated on complete data. Dotted: the constant predictor."
)


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the one figure, none for an experiment without the settings."""
    if data.study.setting_rates and data.study.single_victims:
        yield Drawn("settings", "settings", _CAPTION, _settings(data))


def _settings(data: Dataset) -> Figure:
    """Draw one row per method, one panel per setting and modality, one marker per share p."""
    study, metric = data.study, data.primary
    part = data.summary.filter(pl.col("metric") == metric.name, pl.col("variant") == DEFAULT)
    value = {(r["protocol"], r["method"], r["victim"], r["trained"], r["rate"]): r for r in part.iter_rows(named=True)}
    methods = [method for method in study.methods if method.role != "upper"]
    panels = [(setting, victim) for setting in ("A", "B") for victim in study.single_victims]
    size = (1.75 * len(panels) + 1.2, 0.26 * len(methods) + 1.3)
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained")
    for axis, (setting, victim) in zip(axes[0], panels, strict=True):
        for j, rate in enumerate(study.setting_rates):
            protocol, shown = ("setting_a", 1.0) if setting == "A" else ("matched", rate)
            rows = [value.get((protocol, method.name, victim, rate, shown)) for method in methods]
            intervals(axis, rows, 0.22 * (j - (len(study.setting_rates) - 1) / 2), j, f"p = {1 - rate:g}")
        for method in study.methods:
            if method.role == "upper" and (row := value.get(("matched", method.name, victim, 0.0, 0.0))):
                axis.axvline(row["value"], color=GREY, linewidth=0.8)
        if constant := value.get(("matched", "constant", victim, 0.0, 0.0)):
            axis.axvline(constant["value"], color=GREY, linewidth=0.8, linestyle=":")
        axis.set_title(f"Setting {setting}, {victim} missing")
        axis.set_xlabel(score(metric))
    axes[0][0].set_yticks(range(len(methods)), [method.label for method in methods])
    axes[0][0].invert_yaxis()
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
