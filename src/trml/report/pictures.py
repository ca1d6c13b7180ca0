"""Figures of the analysis, from its files alone: what a virtual modality carries, and utterances to look at."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from trml.base.artifacts import read_json
from trml.config.params import Params
from trml.report.style import look, plt, save

_COSINE = "RdBu_r"

_SENTIMENT = LinearSegmentedColormap.from_list("sentiment", ["#0072B2", "#b4b4b4", "#D55E00"])  # no white: shows on it

_MANY = 2500  # markers; more are drawn as one picture in vector files

_GREY = "#333333"


def draw_pictures(params: Params, analysis: Path, folder: Path) -> dict[str, str]:
    """Draw every figure that the analysis has something for; name -> caption, in the order of the page."""
    about = read_json(analysis / "analysis.json")
    if about["reason"] is not None or not about["victims"]:
        return {}
    method = params.methods[about["method"]].label
    trained = f"{method} trained at missing rate {about['train_rate']:g}, {about['n']} complete test utterances"
    found = pl.read_parquet(analysis / "retrieval.parquet")
    levels = pl.read_parquet(analysis / "levels.parquet")
    examples = read_json(analysis / "examples.json")
    figures: dict[str, tuple[Figure, str]] = {
        "virtual_retrieval": (retrieval(found), f"{_retrieval_caption(found)} {trained}.")
    }
    if levels.height:
        figures["virtual_levels"] = (
            carried_levels(levels),
            "What a virtual vector carries: how often the real vector nearest to it has the same level of each factor "
            "that shows in that modality. Only one factor is common to text and vision; the others cannot be known, "
            f"and should be at chance (dashed). Dots: seeds. {trained}.",
        )
    with np.load(analysis / "similarity.npz", allow_pickle=False) as matrices:
        m = len(matrices[f"{about['victims'][0]}_label"])
        figures["virtual_similarity"] = (
            similarity(dict(matrices), about["victims"]),
            f"Cosine similarity of real to real and of virtual to real vectors, {m} test utterances sorted by "
            f"label, seed {about['seeds'][0]}. {trained}.",
        )
    figures["virtual_embedding"] = (
        embedding(pl.read_parquet(analysis / "embedding.parquet"), examples["classes"]),
        f"Real and virtual vectors of the same test utterances in one t-SNE, seed {about['seeds'][0]}. {trained}.",
    )
    for outcome, words in (("worst", "most"), ("best", "least")):
        chosen = [example for example in examples["examples"] if example["outcome"] == outcome]
        if chosen:
            figures[f"virtual_{outcome}"] = (
                pictured_examples(chosen, params, about["method"], examples["classes"], analysis),
                f"Where {method} errs {words} with one modality missing; what is missing is faded. "
                f"{_aggregate(examples['classes'])} over {len(about['seeds'])} seeds, every method trained at missing "
                f"rate {about['train_rate']:g}.",
            )
    for name, (figure, _) in figures.items():
        save(figure, folder, name)
    return {name: caption for name, (_, caption) in figures.items()}


def _retrieval_caption(found: pl.DataFrame) -> str:
    """Says in words what R@k leaves out."""
    parts = []
    for (victim,), part in found.group_by("victim", maintain_order=True):
        mean = part.mean().row(0, named=True)
        best = f", common factor known {mean['median_rank_best']:.1f}" if mean["median_rank_best"] is not None else ""
        parts.append(
            f"virtual {victim}: median rank {mean['median_rank']:.1f} (chance {mean['median_rank_chance']:.1f}{best}), "
            f"mean cosine {mean['diagonal']:.2f} to the partner and {mean['off_diagonal']:.2f} to others"
        )
    known = (
        "Solid line: what is expected of one who knows the only factor that text and vision have in common. "
        if found["r1_best"].null_count() == 0
        else ""
    )
    return (
        "How often the true partner is the first, or among the first five, of the real vectors by cosine similarity "
        f"to the virtual one. Bars: mean over seeds; dots: seeds. {known}{'; '.join(parts)}."
    ).replace(". virtual", ". Virtual")


def retrieval(found: pl.DataFrame) -> Figure:
    """R@1 and R@5, a bar a victim, with every seed, chance and, where it is known, the best there can be."""
    victims = found["victim"].unique(maintain_order=True).to_list()
    figure, axes = plt.subplots(1, 2, figsize=(3.4, 2.3), layout="constrained")
    for axis, k in zip(axes, (1, 5), strict=True):
        for i, victim in enumerate(victims):
            part = found.filter(pl.col("victim") == victim)
            _bar(axis, i, part[f"r{k}"].to_numpy(), look(i)["color"])
            _level(axis, i, part[f"r{k}_chance"][0], "--", "chance" if i == 0 else None)
            if part[f"r{k}_best"][0] is not None:
                _level(axis, i, part[f"r{k}_best"][0], "-", "common factor known" if i == 0 else None)
        axis.set_xticks(range(len(victims)), [f"virtual\n{victim}" for victim in victims])
        axis.set_title(f"R@{k} ↑")
        _shares(axis)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def carried_levels(levels: pl.DataFrame) -> Figure:
    """How often the nearest real vector has the same level, a bar a factor, a panel a victim."""
    victims = levels["victim"].unique(maintain_order=True).to_list()
    figure, axes = plt.subplots(
        1, len(victims), figsize=(1.7 * len(victims), 2.3), sharey=True, squeeze=False, layout="constrained"
    )
    for v, (axis, victim) in enumerate(zip(axes[0], victims, strict=True)):
        part = levels.filter(pl.col("victim") == victim)
        factors = part["factor"].unique(maintain_order=True).to_list()
        for i, factor in enumerate(factors):
            rows = part.filter(pl.col("factor") == factor)
            _bar(axis, i, rows["same"].to_numpy(), look(v)["color"])
            _level(axis, i, rows["chance"][0], "--", "chance" if i == 0 else None)
        axis.set_xticks(range(len(factors)), [factor.replace("_", "\n") for factor in factors])
        axis.set_title(f"virtual {victim}")
        _shares(axis)
    axes[0][0].set_ylabel("same level as nearest")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center")
    return figure


def _bar(axis: Axes, x: float, of_seeds: NDArray[np.float64], color: str) -> None:
    """The mean as a bar, every seed as a dot."""
    axis.bar(x, of_seeds.mean(), width=0.62, color=color, alpha=0.35, edgecolor=color)
    aside = np.linspace(-0.2, 0.2, len(of_seeds)) if len(of_seeds) > 1 else [0.0]
    axis.plot(x + np.asarray(aside), of_seeds, "o", color=color, markersize=2.5)


def _level(axis: Axes, x: float, y: float, style: str, label: str | None) -> None:
    axis.plot([x - 0.42, x + 0.42], [y, y], style, color=_GREY, linewidth=1.1, label=label)


def _shares(axis: Axes) -> None:
    """The vertical axis in per cent, from zero; no grid between bars."""
    axis.set_ylim(bottom=0)
    axis.set_axisbelow(True)
    axis.grid(visible=False, axis="x")
    axis.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")


def similarity(matrices: Mapping[str, NDArray[Any]], victims: list[str]) -> Figure:
    """Real to real beside virtual to real, a pair of heat maps a victim, all on one scale."""
    figure, axes = plt.subplots(1, 2 * len(victims), figsize=(3.4 * len(victims), 2.05), layout="constrained")
    shown = [(victim, kind) for victim in victims for kind in ("real", "virtual")]
    for axis, (victim, kind) in zip(axes, shown, strict=True):
        image = axis.imshow(
            matrices[f"{victim}_{kind}"], cmap=_COSINE, vmin=-1, vmax=1, interpolation="nearest", rasterized=True
        )
        axis.set_title(f"{kind} {victim}")
        axis.set_xlabel(f"real {victim}")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    axes[0].set_ylabel("test utterances,\nsorted by label")
    figure.colorbar(image, ax=axes, label="cosine similarity", shrink=0.85, aspect=16, pad=0.01)
    return figure


def embedding(points: pl.DataFrame, classes: list[str]) -> Figure:
    """Real vectors as open, virtual ones as filled markers in the plane, coloured by label; a panel a victim."""
    victims = points["modality"].unique(maintain_order=True).to_list()
    figure, axes = plt.subplots(1, len(victims), figsize=(3.4 * len(victims), 2.9), squeeze=False, layout="constrained")
    cmap = ListedColormap([look(k)["color"] for k in range(len(classes))]) if classes else _SENTIMENT
    reach = float(np.abs(points["label"].to_numpy()).max()) or 1.0
    low, high = (-0.5, len(classes) - 0.5) if classes else (-reach, reach)
    for axis, victim in zip(axes[0], victims, strict=True):
        for kind, marker in (("real", "o"), ("virtual", "^")):
            part = points.filter(pl.col("modality") == victim, pl.col("kind") == kind)
            colors = cmap((part["label"].to_numpy() - low) / (high - low))
            axis.scatter(
                part["x"],
                part["y"],
                s=14,
                marker=marker,
                facecolors="none" if kind == "real" else colors,
                edgecolors=colors if kind == "real" else "#555555",
                linewidths=1.0 if kind == "real" else 0.3,
                rasterized=points.height > _MANY,
            )
        axis.set_title(victim)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_aspect("equal", adjustable="datalim")
        axis.spines[:].set_visible(True)
        axis.spines[:].set_color("#bbbbbb")
    axes[0][0].plot([], [], "o", color="none", markeredgecolor=_GREY, label="real")
    axes[0][0].plot([], [], "^", color=_GREY, label="virtual")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    scale = plt.cm.ScalarMappable(plt.Normalize(low, high), cmap)
    bar = figure.colorbar(scale, ax=list(axes[0]), label="" if classes else "sentiment", pad=0.01, aspect=25)
    if classes:
        bar.set_ticks(range(len(classes)), labels=classes)
    return figure


# --- examples --------------------------------------------------------------------------------------------

_COLUMN, _TALLEST, _LINE, _GAP = 3.4, 1.0, 0.125, 0.16  # inches

_CHARACTERS = 66  # that fit into a line of a column


def pictured_examples(
    examples: list[dict[str, Any]], params: Params, proposed: str, classes: list[str], analysis: Path
) -> Figure:
    """Clips with sentence, truth and predictions below: a column a victim, a row an example."""
    columns = {
        victim: [example for example in examples if example["victim"] == victim]
        for victim in dict.fromkeys(example["victim"] for example in examples)
    }
    texts = {v: [_lines(example, params, proposed, classes) for example in part] for v, part in columns.items()}
    lines = max(len(each) for part in texts.values() for each in part)
    strips = {e["utterance_id"]: imread(analysis / e["strip"]) for e in examples if e["strip"]}
    strip = max((min(_TALLEST, _COLUMN * each.shape[0] / each.shape[1]) for each in strips.values()), default=0.0)
    row, rows = strip + _LINE * (lines + 0.5) + _GAP, max(map(len, columns.values()))
    height, width = rows * row + 0.25, len(columns) * (_COLUMN + 0.2) - 0.2
    figure = plt.figure(figsize=(width, height))
    for c, (victim, part) in enumerate(columns.items()):
        left = c * (_COLUMN + 0.2)
        figure.text(left / width, 1 - 0.1 / height, f"{victim} missing", fontsize=9, weight="bold", va="center")
        for r, (example, text) in enumerate(zip(part, texts[victim], strict=True)):
            top = height - 0.25 - r * row
            if example["utterance_id"] in strips:
                axis = figure.add_axes((left / width, (top - strip) / height, _COLUMN / width, strip / height))
                _show_strip(axis, strips[example["utterance_id"]], faded=victim == "vision")
            for i, (line, look_of) in enumerate(text):
                y = top - strip - _LINE * (i + 1)
                figure.text(left / width, y / height, line, fontsize=6.5, parse_math=False, **look_of)
    return figure


def _show_strip(axis: Axes, picture: NDArray[Any], *, faded: bool) -> None:
    axis.imshow(picture, alpha=0.3 if faded else 1.0, interpolation="antialiased")
    axis.set_anchor("W")
    axis.axis("off")


def _lines(
    example: dict[str, Any], params: Params, proposed: str, classes: list[str]
) -> list[tuple[str, dict[str, Any]]]:
    """The text below a strip, a line an entry, with how it looks."""
    victim = example["victim"]
    faded = {"color": "#a0a0a0"} if victim == "text" else {}
    fit = _CHARACTERS if not example["text"].isupper() else _CHARACTERS * 3 // 4
    sentence = textwrap.wrap(f"“{example['text']}”", fit, max_lines=2, placeholder=" …”")
    of_proposed = example["predictions"][proposed]
    label = params.methods[proposed].label
    verdict = (
        f"truth {_value(example['label'], classes)}     {label} {_predicted(of_proposed['missing'], classes)} "
        f"(with both {_predicted(of_proposed['complete'], classes)})"
    )
    others = "  ·  ".join(
        # What a no-break space joins is never on two lines.
        f"{method.label} {_predicted(example['predictions'][name]['missing'], classes)}".replace(" ", "\xa0")
        for name, method in params.methods.items()
        if name != proposed
    )
    return [
        *((line, {"style": "italic", **faded}) for line in sentence),
        (verdict, {"weight": "bold"}),
        *(
            (line.rstrip(" ·"), {"color": "#444444"})
            for line in textwrap.wrap(others, _CHARACTERS + 4, break_on_hyphens=False)
        ),
    ]


def _value(value: float, classes: list[str]) -> str:
    return classes[round(value)] if classes else f"{value:+.2f}".replace("-", "−")


def _predicted(of_seeds: list[float | None], classes: list[str]) -> str:
    """The mean over seeds, or the class that most seeds predict."""
    if None in of_seeds:
        return "failed"
    values = np.array(of_seeds, dtype=float)
    return _value(float(np.bincount(values.astype(int)).argmax()) if classes else float(values.mean()), classes)


def _aggregate(classes: list[str]) -> str:
    return "Predictions are the most frequent" if classes else "Predictions are means"
