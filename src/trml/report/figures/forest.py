"""The comparisons of a claim as intervals."""

from collections.abc import Iterator, Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trml.report.dataset import Dataset
from trml.report.figures.common.draw import COLUMN
from trml.report.figures.common.drawn import Drawn
from trml.report.style import GREY, look, plt

_TAIL = " Bars: 95 % intervals. Filled: decided (better, worse or equivalent) after Holm's correction."

# A figure that claims name -> its section, the words of its axis, its caption.
_FORESTS = {
    "ablation": (
        "studies",
        "gain of the full loss in",
        "What each loss term brings: the paired gain of the full loss over the loss without the term. Right of zero "
        "the term helps." + _TAIL,
    ),
    "ablation_design": (
        "studies",
        "gain of the default in",
        "What each choice of design brings: the paired gain of the default over the alternative. Right of zero the "
        "default is better." + _TAIL,
    ),
    "rotation": (
        "alignment",
        "aligned less turned, share of range, by",
        "How much more the proposed method gains over each baseline on aligned vectors than on the same vectors, each "
        "modality's space turned by a rotation of its own. Right of zero the aligned space helps it." + _TAIL,
    ),
    "alignment": (
        "alignment",
        "aligned less unaligned, share of range, by",
        "How much more the proposed method gains over each baseline with the aligned encoder than with encoders "
        "trained separately. Right of zero the aligned space helps it." + _TAIL,
    ),
}


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the forests that the claims name."""
    for i, claim in enumerate(data.claims):
        for name in claim["figures"]:
            if name in _FORESTS:
                section, words, caption = _FORESTS[name]
                yield Drawn(section, name, caption, forest(data, claim, words), 100 + i)


def forest(data: Dataset, claim: Mapping[str, Any], words: str) -> Figure:
    """Draw one row per label of a comparison, one panel per rate, one colour per victim."""
    comparisons, victims = claim["comparisons"], data.study.single_victims
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
        axis.locator_params(axis="x", nbins=4)  # long names leave little room beside them
        if len(rates) > 1:
            axis.set_title(f"missing rate {rate:g}")
    names = [row.removeprefix("gain over ").removesuffix(", aligned less unaligned") for row in rows]
    axes[0][0].set_yticks(range(len(rows)), names)
    axes[0][0].invert_yaxis()
    figure.supxlabel(f"{words} {data.primary.label}", fontsize=8)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _compared(axis: Axes, comparison: Mapping[str, Any], y: float, i: int) -> None:
    """Draw a comparison's interval and effect, filled where it is decided."""
    filled = look(i)["color"] if comparison["verdict"] in ("better", "worse", "equivalent") else "white"
    if comparison["low"] is not None:
        axis.plot([comparison["low"], comparison["high"]], [y, y], color=look(i)["color"])
    marker = {**look(i), "markerfacecolor": filled, "linestyle": ""}
    axis.plot([comparison["effect"]], [y], **marker)  # type: ignore[arg-type]
