"""The figures of scores, from the evaluation's tables alone. Those of virtual modalities are in pictures.py."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trml.config.params import Params
from trml.evaluation.metrics import Metric
from trml.methods.config import DEFAULT, MethodConfig, grid_name, sweep_name
from trml.report.style import GREY, SEQUENTIAL, look, plt, save

COLUMN = 3.4  # inches, one column of a paper


def draw_all(
    params: Params,
    summary: pl.DataFrame,
    laboratory: pl.DataFrame | None,
    claims: list[dict[str, Any]],
    metrics: tuple[Metric, ...],
    folder: Path,
) -> dict[str, str]:
    """Draw every figure; name -> caption, in the order of the page."""
    captions = draw_rates(params, summary, metrics, folder)
    shown = _shown(metrics)

    def draw(name: str, figure: Figure, caption: str) -> None:
        save(figure, folder, name)
        captions[name] = caption

    if params.protocol.complete:
        draw("settings", settings(params, summary, shown[0]), _SETTINGS_CAPTION)
    for name, method in params.methods.items():
        for option, values in method.sweeps.items():
            figure = sweep(params, summary, name, option, values, shown[0])
            draw(f"sweep_{name}_{option}", figure, _sweep_caption(params, method, option))
        for grid in method.grids:
            if len(grid) == 2:
                figure = heat_map(params, summary, name, grid, shown[0])
                draw(f"grid_{name}_{'_'.join(grid)}", figure, _grid_caption(params, method, grid))
    for claim in claims:
        for name in _FORESTS.keys() & claim["figures"]:
            what, caption = _FORESTS[name]
            draw(name, forest(params, claim, shown[0], what), caption)
    if laboratory is not None:
        draw("laboratory", recovered(params, laboratory), _LABORATORY_CAPTION)
    return captions


def draw_rates(
    params: Params, summary: pl.DataFrame, metrics: tuple[Metric, ...], folder: Path, suffix: str = ""
) -> dict[str, str]:
    """Draw the curves over the missing rate of every victim; name (with the suffix) -> caption."""
    captions = {}
    for protocol in ("alike", "complete"):
        for victim in params.protocol.victims:
            if summary.filter(pl.col("protocol") == protocol, pl.col("victim") == victim).height:
                name = f"rates_{victim}{suffix}" if protocol == "alike" else f"complete_training_{victim}{suffix}"
                save(rate_curves(params, summary, protocol, victim, _shown(metrics)), folder, name)
                captions[name] = _rates_caption(params, summary, protocol, victim)
    return captions


def _shown(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """The metrics that figures show."""
    return tuple(m for m in metrics if m.name in ("mae", "acc2_neg_nonneg", "accuracy", "f1_weighted"))


_FOREST_TAIL = " Bars: 95 % intervals. Filled: significant after Holm's correction."

_FORESTS = {
    "ablation": (
        "gain of the full loss in",
        "What each loss term brings: the paired gain of the full loss over the loss without the term; right of zero "
        "the term helps." + _FOREST_TAIL,
    ),
    "ablation_design": (
        "gain of the default in",
        "What each choice of design brings: the paired gain of the default over the choice made otherwise; right of "
        "zero the default is better." + _FOREST_TAIL,
    ),
    "alignment": (
        "aligned less unaligned, share of range, by",
        "How much more the proposed method gains over each baseline with the aligned encoder than with encoders that "
        "were trained apart; right of zero the aligned space helps it." + _FOREST_TAIL,
    ),
}

_SETTINGS_CAPTION = (
    "Settings A and B at each share p of complete training utterances, with 95 % intervals. Vertical line: the upper "
    "bound, trained and evaluated on complete data; dotted: the constant predictor."
)

_LABORATORY_CAPTION = (
    "With vision missing: the share that each method recovers of what the sentence tells of the label, over how much "
    "of what the face tells the sentence tells too. One is the exact ceiling, zero the constant predictor; at "
    "redundancy 0 there is nothing to recover, and the table says which methods make something up."
)


def _rates_caption(params: Params, summary: pl.DataFrame, protocol: str, victim: str) -> str:
    what = {"either": "either modality", "frames": "frames"}.get(victim, victim)
    trained = (
        "in training and at evaluation alike" if protocol == "alike" else "at evaluation; trained on complete data"
    )
    dashed = summary.filter(pl.col("method") == "ceiling", pl.col("victim") == victim)["rate"].n_unique() > 2
    return (
        f"Scores over the missing rate of {what}, {trained}. Lines: mean over {len(params.protocol.seeds)} seeds; the "
        "band of the proposed method: 95 % paired bootstrap over test utterances and seeds (the tables have every "
        "interval). Supervised-Double is trained on complete data. "
        + ("Dashed: the exact ceiling of the corpus. " if dashed else "")
        + "Dotted: the constant predictor."
    )


def _sweep_caption(params: Params, method: MethodConfig, option: str) -> str:
    return (
        f"{method.label} over its {option}, trained and evaluated at missing rate {params.protocol.study_rate:g}. "
        "Open marker: the default. Bands: 95 % intervals."
    )


def _grid_caption(params: Params, method: MethodConfig, grid: dict[str, list[float]]) -> str:
    return (
        f"{method.label} over {' and '.join(grid)}, trained and evaluated at missing rate "
        f"{params.protocol.study_rate:g}; brighter is better. Framed: the default, where it is on the grid."
    )


def rate_curves(
    params: Params, summary: pl.DataFrame, protocol: str, victim: str, metrics: tuple[Metric, ...]
) -> Figure:
    """Scores of every method over the missing rate of a victim, one panel a metric."""
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(COLUMN * len(metrics), 3.9), squeeze=False, layout="constrained"
    )
    of_rates = (pl.col("protocol") == protocol) | ((pl.col("protocol") == "alike") & (pl.col("rate") == 0))
    for axis, metric in zip(axes[0], metrics, strict=True):
        part = summary.filter(
            of_rates, pl.col("victim") == victim, pl.col("metric") == metric.name, pl.col("variant") == DEFAULT
        )
        for i, (name, method) in enumerate(params.methods.items()):
            _curve(axis, part.filter(pl.col("method") == name).sort("rate"), "rate", i, method)
        for name, style, label in (
            ("constant", ":", "Constant predictor"),
            ("ceiling", "--", "Ceiling (exact)"),
        ):
            series = part.filter(pl.col("method") == name).sort("rate")
            if series.height > 2:
                axis.plot(series["rate"], series["value"], color=GREY, linestyle=style, label=label)
        axis.set_xlabel(f"missing rate of {'either modality' if victim == 'either' else victim}")
        axis.set_ylabel(_score(metric))
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 * len(metrics) if len(metrics) < 3 else 5)
    return figure


def _score(metric: Metric) -> str:
    return f"{metric.label} {'↑' if metric.higher_is_better else '↓'}"


def _curve(axis: Axes, series: pl.DataFrame, x: str, i: int, method: MethodConfig) -> None:
    """The proposed method thick and with its band, all others thin."""
    if series.height == 0:
        return
    style, proposed = look(i), method.role == "proposed"
    axis.plot(
        series[x],
        series["value"],
        label=method.label,
        linewidth=2.2 if proposed else 1.0,
        markersize=5 if proposed else 3,
        zorder=5 if proposed else 2,
        **style,  # type: ignore[arg-type]
    )
    if proposed:
        axis.fill_between(series[x], series["low"], series["high"], color=style["color"], alpha=0.15, linewidth=0)


def settings(params: Params, summary: pl.DataFrame, metric: Metric) -> Figure:
    """Settings A and B as intervals, a row a method, a panel a setting and modality, a marker a share p."""
    protocol = params.protocol
    part = summary.filter(pl.col("metric") == metric.name, pl.col("variant") == DEFAULT)
    value = {(r["protocol"], r["method"], r["victim"], r["trained"], r["rate"]): r for r in part.iter_rows(named=True)}
    names = [name for name, method in params.methods.items() if method.role != "upper"]
    panels = [(setting, victim) for setting in ("A", "B") for victim in protocol.modalities]
    figure, axes = plt.subplots(
        1,
        len(panels),
        figsize=(1.75 * len(panels) + 1.2, 0.26 * len(names) + 1.3),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (setting, victim) in zip(axes[0], panels, strict=True):
        for j, rate in enumerate(protocol.setting_rates):
            how = ("setting_a", rate, 1.0) if setting == "A" else ("alike", rate, rate)
            rows = [value.get((how[0], name, victim, *how[1:])) for name in names]
            _intervals(axis, rows, 0.22 * (j - (len(protocol.setting_rates) - 1) / 2), j, f"p = {1 - rate:g}")
        for name, method in params.methods.items():
            if method.role == "upper" and (row := value.get(("alike", name, victim, 0.0, 0.0))):
                axis.axvline(row["value"], color=GREY, linewidth=0.8)
        axis.axvline(value["alike", "constant", victim, 0.0, 0.0]["value"], color=GREY, linewidth=0.8, linestyle=":")
        axis.set_title(f"Setting {setting}, {victim} missing")
        axis.set_xlabel(_score(metric))
    axes[0][0].set_yticks(range(len(names)), [params.methods[name].label for name in names])
    axes[0][0].invert_yaxis()
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _intervals(axis: Axes, rows: list[dict[str, Any] | None], aside: float, i: int, label: str) -> None:
    for y, row in enumerate(rows):
        if row is not None and row["low"] is not None:
            axis.plot([row["low"], row["high"]], [y + aside] * 2, color=look(i)["color"], linewidth=1.0)
            axis.plot([row["value"]], [y + aside], **{**look(i), "linestyle": ""})  # type: ignore[arg-type]
    axis.plot([], [], label=label, **{**look(i), "linestyle": ""})  # type: ignore[arg-type]


def sweep(params: Params, summary: pl.DataFrame, name: str, option: str, values: list[float], metric: Metric) -> Figure:
    """The primary score of a method over one of its options, a line for each modality missing."""
    figure, axis = plt.subplots(figsize=(COLUMN, 2.5), layout="constrained")
    order = pl.DataFrame({"variant": [sweep_name(option, value) for value in values], "x": values})
    for i, victim in enumerate(params.protocol.modalities):
        series = (
            summary.filter(
                pl.col("protocol") == "alike",
                pl.col("method") == name,
                pl.col("victim") == victim,
                pl.col("metric") == metric.name,
            )
            .join(order, on="variant", how="inner")
            .sort("x")
        )
        style = look(i)
        axis.plot(series["x"], series["value"], label=f"{victim} missing", **style)  # type: ignore[arg-type]
        axis.fill_between(series["x"], series["low"], series["high"], color=style["color"], alpha=0.12, linewidth=0)
        default = series.filter(pl.col("x") == params.methods[name].options[option])
        open_marker = {**style, "linestyle": "", "markerfacecolor": "none", "markersize": "8"}
        axis.plot(default["x"], default["value"], **open_marker)  # type: ignore[arg-type]
    axis.set_xscale("log")
    axis.set_xticks(sorted(values), [f"{value:g}" for value in sorted(values)], rotation=60)
    axis.minorticks_off()
    axis.set_xlabel(option)
    axis.set_ylabel(_score(metric))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def heat_map(params: Params, summary: pl.DataFrame, name: str, grid: dict[str, list[float]], metric: Metric) -> Figure:
    """The primary score over two options, a panel for each modality missing."""
    (row_option, rows), (column_option, columns) = grid.items()
    modalities, options = params.protocol.modalities, params.methods[name].options
    part = summary.filter(pl.col("protocol") == "alike", pl.col("method") == name, pl.col("metric") == metric.name)
    value = {(r["variant"], r["victim"]): r["value"] for r in part.iter_rows(named=True)}
    figure, axes = plt.subplots(
        1, len(modalities), figsize=(COLUMN * len(modalities), 2.6), squeeze=False, sharey=True, layout="constrained"
    )
    for axis, victim in zip(axes[0], modalities, strict=True):
        scores = np.array(
            [
                [value.get((grid_name({row_option: a, column_option: b}), victim), np.nan) for b in columns]
                for a in rows
            ],
            dtype=float,
        )
        image = axis.imshow(scores, cmap=SEQUENTIAL if metric.higher_is_better else f"{SEQUENTIAL}_r", aspect="auto")
        middle = (np.nanmin(scores) + np.nanmax(scores)) / 2
        for (i, j), score in np.ndenumerate(scores):
            bright = (score > middle) == metric.higher_is_better
            axis.text(j, i, f"{score:.3f}", ha="center", va="center", size=7, color="black" if bright else "white")
        if options.get(row_option) in rows and options.get(column_option) in columns:
            at = columns.index(options[column_option]) - 0.5, rows.index(options[row_option]) - 0.5
            axis.add_patch(plt.Rectangle(at, 1, 1, fill=False, edgecolor="#D55E00", linewidth=1.8))
        axis.set_xticks(range(len(columns)), [f"{b:g}" for b in columns])
        axis.set_yticks(range(len(rows)), [f"{a:g}" for a in rows])
        axis.grid(visible=False)
        axis.set_xlabel(column_option)
        axis.set_title(f"{victim} missing")
        figure.colorbar(image, ax=axis, label=_score(metric))
    axes[0][0].set_ylabel(row_option)
    return figure


def forest(params: Params, claim: dict[str, Any], metric: Metric, what: str) -> Figure:
    """The comparisons of a claim as intervals, a row a comparison's label, a panel a rate, a colour a victim."""
    comparisons, victims = claim["comparisons"], params.protocol.modalities
    rows, rates = (list(dict.fromkeys(c[key] for c in comparisons)) for key in ("label", "rate"))
    size = (COLUMN * min(2, len(rates)), 0.3 * len(rows) + 1.0)
    figure, axes = plt.subplots(
        1, len(rates), figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for axis, rate in zip(axes[0], rates, strict=True):
        for i, victim in enumerate(victims):
            aside = 0.26 * (i - (len(victims) - 1) / 2)
            for c in comparisons:
                if c["victim"] == victim and c["rate"] == rate and c["effect"] is not None:
                    _compared(axis, c, rows.index(c["label"]) + aside, i)
            axis.plot([], [], label=f"{victim} missing", **{**look(i), "linestyle": ""})
        axis.axvline(0, color=GREY, linewidth=0.8)
        if len(rates) > 1:
            axis.set_title(f"missing rate {rate:g}")
    names = [row.removeprefix("gain over ").removesuffix(", aligned less unaligned") for row in rows]
    axes[0][0].set_yticks(range(len(rows)), names)
    axes[0][0].invert_yaxis()
    figure.supxlabel(f"{what} {metric.label}", fontsize=8)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _compared(axis: Axes, comparison: dict[str, Any], y: float, i: int) -> None:
    """A comparison's interval and effect; filled where it is decided."""
    filled = look(i)["color"] if comparison["verdict"] != "undecided" else "white"
    axis.plot([comparison["low"], comparison["high"]], [y, y], color=look(i)["color"])
    axis.plot([comparison["effect"]], [y], **{**look(i), "markerfacecolor": filled, "linestyle": ""})  # type: ignore[arg-type]


def recovered(params: Params, laboratory: pl.DataFrame) -> Figure:
    """The recovered share of every method over the redundancy."""
    figure, axis = plt.subplots(figsize=(COLUMN, 3.9), layout="constrained")
    for i, (name, method) in enumerate(params.methods.items()):
        part = laboratory.filter(pl.col("method") == name, pl.col("recovered").is_not_null()).sort("redundancy")
        named = part.select("redundancy", value="recovered", low="recovered_low", high="recovered_high")
        _curve(axis, named, "redundancy", i, method)
    axis.axhline(1, color=GREY, linestyle="--", label="Ceiling (exact)")
    axis.axhline(0, color=GREY, linestyle=":", label="Constant predictor")
    axis.set_xlim(0, 1.02)
    axis.set_xlabel("redundancy: share of what the face tells that the sentence tells too")
    axis.set_ylabel("recovered share ↑")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
