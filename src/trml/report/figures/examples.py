"""Utterances with their clip, truth and predictions: where the proposed method errs most and least."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

from trml.base.printable import plural
from trml.report.dataset import Dataset, Probes
from trml.report.figures.common.drawn import Drawn
from trml.report.style import legible, plt

_COLUMN, _TALLEST, _LINE, _GAP = 3.4, 1.0, 0.125, 0.16  # inches
_CHARACTERS = 66  # that fit into a line of a column

Example = Mapping[str, Any]  # an entry of examples.json
Line = tuple[str, dict[str, Any]]  # a text, and how it looks


def figures(data: Dataset) -> Iterator[Drawn]:
    """Yield the worst and the best examples, none where nothing was probed, or clips and texts are somebody's own."""
    probes = data.probes
    if probes is None or not data.card.info.factors:
        return
    classes, method = probes.examples["classes"], data.study.by_name[probes.about["method"]].label
    seeds = f"{len(probes.seeds)} {plural('seed', len(probes.seeds))}"
    aggregate = "Predictions are the most frequent" if classes else "Predictions are means"
    for order, (outcome, words) in enumerate((("worst", "most"), ("best", "least")), start=4):
        chosen = [example for example in probes.examples["examples"] if example["outcome"] == outcome]
        if chosen:
            caption = (
                f"Where {method} errs {words} with one modality missing; the missing one is faded. {aggregate} over "
                f"{seeds}, every method trained at missing rate {probes.about['train_rate']:g}."
            )
            yield Drawn("virtual", f"virtual_{outcome}", caption, _pictured(data, probes, chosen), order)


def _pictured(data: Dataset, probes: Probes, examples: Sequence[Example]) -> Figure:
    """Draw clips with sentence, truth and predictions below, one column per victim, one row per example."""
    columns = {
        victim: [example for example in examples if example["victim"] == victim]
        for victim in dict.fromkeys(example["victim"] for example in examples)
    }
    texts = {victim: [_lines(data, probes, example) for example in part] for victim, part in columns.items()}
    lines = max(len(each) for part in texts.values() for each in part)
    strips = {e["utterance_id"]: imread(probes.folder / e["strip"]) for e in examples if e["strip"]}
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
                figure.text(left / width, y / height, line, fontsize=6.5, **look_of)
    return figure


def _show_strip(axis: Axes, picture: NDArray[Any], *, faded: bool) -> None:
    axis.imshow(picture, alpha=0.3 if faded else 1.0, interpolation="antialiased")
    axis.set_anchor("W")
    axis.axis("off")


def _lines(data: Dataset, probes: Probes, example: Example) -> list[Line]:
    """Return the lines of text below a strip."""
    study, proposed, classes = data.study, probes.about["method"], probes.examples["classes"]
    faded = {"color": "#a0a0a0"} if example["victim"] == "text" else {}
    sentence = legible(example["text"], style="italic")
    width = _CHARACTERS if not sentence.isupper() else _CHARACTERS * 3 // 4
    quoted = textwrap.wrap(f"“{sentence}”", width, max_lines=2, placeholder=" …")
    predictions = example["predictions"][proposed]
    verdict = (
        f"truth {_value(example['label'], classes)}     {study.by_name[proposed].label} "
        f"{_predicted(predictions['missing'], classes)} (with {'both' if len(study.modalities) == 2 else 'all'} "
        f"{_predicted(predictions['complete'], classes)})"
    )
    others = "  ·  ".join(
        # No line breaks at a no-break space.
        f"{method.label} {_predicted(example['predictions'][method.name]['missing'], classes)}".replace(" ", "\xa0")
        for method in study.methods
        if method.name != proposed
    )
    return [
        *((line, {"style": "italic", **faded}) for line in quoted),
        (verdict, {"weight": "bold"}),
        *(
            (line.rstrip(" ·"), {"color": "#444444"})
            for line in textwrap.wrap(others, _CHARACTERS + 4, break_on_hyphens=False)
        ),
    ]


def _value(value: float, classes: Sequence[str]) -> str:
    return classes[round(value)] if classes else f"{value:+.2f}".replace("-", "−")


def _predicted(by_seed: Sequence[float | None], classes: Sequence[str]) -> str:
    """Return the mean over seeds, or the class that most seeds predict."""
    if None in by_seed:
        return "failed"
    values = np.array(by_seed, dtype=float)
    return _value(float(np.bincount(values.astype(int)).argmax()) if classes else float(values.mean()), classes)
