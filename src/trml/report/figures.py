"""The figures, from the summary and the claims alone."""

from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trml.config import Params
from trml.evaluation.metrics import Metric
from trml.plan import DEFAULT, sweep_name
from trml.report.style import look, plt, save


def draw_all(
    params: Params, summary: pl.DataFrame, claims: list[dict[str, Any]], metrics: tuple[Metric, ...], folder: Path
) -> dict[str, str]:
    """Draw every figure; name -> caption, in the order of the page."""
    shown = tuple(m for m in metrics if m.name in ("mae", "acc2_neg_nonneg", "accuracy", "f1_weighted"))
    captions = {}
    for victim in params.protocol.victims:
        save(rate_curves(params, summary, victim, shown), folder, f"rates_{victim}")
        captions[f"rates_{victim}"] = (
            f"Scores over the missing rate of {victim}, in training and at evaluation alike. Lines: mean over "
            f"{len(params.protocol.seeds)} seeds; bands: 95 % paired bootstrap over test utterances and seeds. "
            "Supervised-Double is trained on complete data. "
            + ("Dashed: the exact ceiling of the corpus. " if _has(summary, "ceiling") else "")
            + "Dotted: the constant predictor."
        )
    for name, method in params.methods.items():
        for option, values in method.sweeps.items():
            save(sweep(params, summary, name, option, values, shown[0]), folder, f"sweep_{name}_{option}")
            captions[f"sweep_{name}_{option}"] = (
                f"{method.label} over its {option}, trained and evaluated at missing rate "
                f"{params.protocol.study_rate:g}. "
                f"Open marker: the default. Bands as above."
            )
    for claim in claims:
        if claim["id"] == "C3":
            save(ablation(params, claim, shown[0]), folder, "ablation")
            captions["ablation"] = (
                "What each loss term brings: the paired gain of the full loss over the loss without the term, at "
                f"missing rate {params.protocol.study_rate:g}, with 95 % intervals; right of zero the term "
                "helps. Filled: significant after Holm's correction."
            )
    return captions


def _has(summary: pl.DataFrame, method: str) -> bool:
    return bool((summary["method"] == method).any())


def rate_curves(params: Params, summary: pl.DataFrame, victim: str, metrics: tuple[Metric, ...]) -> Figure:
    """Scores of every method over the missing rate of a victim, one panel a metric."""
    figure, axes = plt.subplots(1, len(metrics), figsize=(3.4 * len(metrics), 3.3), squeeze=False, layout="constrained")
    for axis, metric in zip(axes[0], metrics, strict=True):
        part = summary.filter(pl.col("victim") == victim, pl.col("metric") == metric.name, pl.col("variant") == DEFAULT)
        for i, (name, method) in enumerate(params.methods.items()):
            series = part.filter(pl.col("method") == name).sort("rate")
            aside = 0.008 * (i - (len(params.methods) - 1) / 2)  # so that equal curves do not hide each other
            _band(axis, series["rate"] + aside, series, i, method.label)
        for name, style, label in (
            ("constant", ":", "Constant predictor"),
            ("ceiling", "--", "Ceiling (exact)"),
        ):
            series = part.filter(pl.col("method") == name).sort("rate")
            if series.height:
                axis.plot(series["rate"], series["value"], color="#333333", linestyle=style, label=label)
        axis.set_xlabel(f"missing rate of {victim}")
        axis.set_ylabel(f"{metric.label} {'↑' if metric.higher_is_better else '↓'}")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _band(axis: Axes, x: pl.Series, series: pl.DataFrame, i: int, label: str) -> None:
    style = look(i)
    axis.plot(x, series["value"], label=label, **style)  # type: ignore[arg-type]
    axis.fill_between(x, series["low"], series["high"], color=style["color"], alpha=0.1, linewidth=0)


def sweep(params: Params, summary: pl.DataFrame, name: str, option: str, values: list[float], metric: Metric) -> Figure:
    """The primary score of a method over one of its options, a line for each victim."""
    figure, axis = plt.subplots(figsize=(3.4, 2.5), layout="constrained")
    order = pl.DataFrame({"variant": [sweep_name(option, value) for value in values], "x": values})
    for i, victim in enumerate(params.protocol.victims):
        series = (
            summary.filter(
                pl.col("method") == name,
                pl.col("victim") == victim,
                pl.col("metric") == metric.name,
            )
            .join(order, on="variant", how="inner")
            .sort("x")
        )
        _band(axis, series["x"], series, i, f"{victim} missing")
        default = series.filter(pl.col("x") == params.methods[name].options[option])
        axis.plot(default["x"], default["value"], linestyle="", markersize=8, markerfacecolor="none", **look(i))  # type: ignore[arg-type]
    axis.set_xscale("log")
    axis.set_xticks(sorted(values), [f"{value:g}" for value in sorted(values)], rotation=60)
    axis.minorticks_off()
    axis.set_xlabel(option)
    axis.set_ylabel(f"{metric.label} {'↑' if metric.higher_is_better else '↓'}")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def ablation(params: Params, claim: dict[str, Any], metric: Metric) -> Figure:
    """The gain that each loss term brings, a row a term, a colour a victim."""
    terms = list(dict.fromkeys(c["label"] for c in claim["comparisons"]))
    figure, axis = plt.subplots(figsize=(3.4, 0.45 * len(terms) + 1.0), layout="constrained")
    for i, victim in enumerate(params.protocol.victims):
        aside = 0.26 * (i - (len(params.protocol.victims) - 1) / 2)
        for c in claim["comparisons"]:
            if c["victim"] != victim or c["effect"] is None:
                continue
            y = terms.index(c["label"]) + aside
            filled = look(i)["color"] if c["verdict"] != "undecided" else "white"
            axis.plot([c["low"], c["high"]], [y, y], color=look(i)["color"])
            axis.plot([c["effect"]], [y], markerfacecolor=filled, linestyle="", **look(i))  # type: ignore[arg-type]
        axis.plot([], [], label=f"{victim} missing", **look(i))  # type: ignore[arg-type]
    axis.axvline(0, color="#333333", linewidth=0.8)
    axis.set_yticks(range(len(terms)), terms)
    axis.invert_yaxis()
    axis.set_xlabel(f"gain of the full loss in {metric.label}")
    figure.legend(loc="outside upper center", ncols=2)
    return figure
