"""Examples with their clips: where the proposed method errs most and least with a modality missing."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trml.report.page.inputs import Examples, PageInputs
from trml.report.page.numbers import MINUS


@dataclass(frozen=True)
class Example:
    """An utterance.

    Attributes:
        victim: What is missing. outcome: `worst` or `best`. utterance, text: Which it is.
        strip: Its frames as an address, empty without a clip.
        truth: Its label. predictions: A line a method: name, label, with the victim missing, with everything.
    """

    victim: str
    outcome: str
    utterance: str
    text: str
    strip: str
    truth: str
    predictions: Sequence[tuple[str, str, str, str]]


def examples(inputs: PageInputs) -> list[Example]:
    """Return the examples of a generated corpus, none of any other."""
    shown = inputs.examples
    if shown is None:
        return []
    made = []
    for each in shown.chosen:
        strip = shown.strips.get(each["utterance_id"])
        predictions = [
            (
                method.name,
                method.label,
                predicted(each["predictions"][method.name]["missing"], shown),
                predicted(each["predictions"][method.name]["complete"], shown),
            )
            for method in inputs.own.study.methods
            if method.name in each["predictions"]
        ]
        made.append(
            Example(
                victim=each["victim"],
                outcome=each["outcome"],
                utterance=each["utterance_id"],
                text=each["text"],
                strip="data:image/png;base64," + base64.b64encode(strip).decode() if strip else "",
                truth=_value(each["label"], shown),
                predictions=predictions,
            )
        )
    return made


def predicted(by_seed: Sequence[float | None], shown: Examples) -> str:
    """Return the mean over seeds, or the class that most seeds predict."""
    if None in by_seed:
        return "failed"
    values = np.array(by_seed, dtype=float)
    return _value(float(np.bincount(values.astype(int)).argmax()) if shown.classes else float(values.mean()), shown)


def _value(value: float, shown: Examples) -> str:
    return shown.classes[round(value)] if shown.classes else f"{value:+.2f}".replace("-", MINUS)
