"""Single utterances to look at: where the proposed method errs most and least when a modality is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from trml.base.errors import ClipUnreadable
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.predictions import Evaluation
from trml.missing.conditions import Condition
from trml.sources.formats.video_reader import Clip, read_parts

WORST, BEST = 4, 2  # how many examples a victim has of each

_STRIP_HEIGHT, _LOWEST = 128, 8  # pixels, at most and at least
_WIDEST = 4  # times as wide as a strip is high, a frame of it


def mean_error(predictions: Array, label: Array, task: str) -> Array:
    """Return the error [N] of predictions [seeds, N], the mean over seeds.

    It is the distance to the label in a regression, and how often the class is wrong in a classification.
    """
    wrong = np.abs(predictions - label) if task == "regression" else (predictions != label).astype(float)
    return wrong.mean(axis=0)


def pick(error: Array, on_complete: Array) -> list[tuple[int, str]]:
    """Return the places of the largest errors, then of the smallest, each with its outcome (`worst` or `best`).

    Of equal errors [N] the one with the smaller error on complete data [N] comes first, then the earlier place.
    """
    worst = np.lexsort((on_complete, -error))[:WORST].tolist()
    best = [i for i in np.lexsort((on_complete, error)).tolist() if i not in worst][:BEST]
    return [*((i, "worst") for i in worst), *((i, "best") for i in best)]


def find_examples(
    evaluation: Evaluation, proposed: str, victims: list[str], places: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Return the picked utterances of each victim with the predictions of every method, trained at the study rate.

    Args:
        evaluation: The cells.
        proposed: The method whose errors are looked at.
        victims: Modalities that are missing.
        places: Which test utterances to pick from.
    """
    examples, task = [], evaluation.info.task
    for victim in victims:
        by_method = {name: _both(evaluation, name, victim) for name in evaluation.study.by_name}
        error, on_complete = (
            mean_error(by_method[proposed][key], evaluation.label, task) for key in ("missing", "complete")
        )
        for i, outcome in pick(error[places], on_complete[places]):
            place = places[i]
            predictions = {
                method: {key: _plain(of_seeds[:, place]) for key, of_seeds in both.items()}
                for method, both in by_method.items()
            }
            examples.append(
                {
                    "victim": victim,
                    "outcome": outcome,
                    "utterance_id": evaluation.ids[place],
                    "label": round(float(evaluation.label[place]), 6),  # f32 in the corpus
                    "error": round(float(error[place]), 6),
                    "predictions": predictions,
                }
            )
    return examples


def _both(evaluation: Evaluation, method: str, victim: str) -> dict[str, Array]:
    """Return a method's predictions [seeds, N] with the victim missing everywhere and nowhere."""
    trained = evaluation.study.study_training_rate
    return {
        key: evaluation.predictions(method, Condition(victim, rate, trained, trained))
        for key, rate in (("missing", 1.0), ("complete", 0.0))
    }


def _plain(values: Array) -> list[float | None]:
    """Return numbers that JSON can hold: None for a seed whose training failed."""
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


def with_media(
    examples: list[dict[str, Any]], utterances: pl.DataFrame, media: Path, folder: Path, frames: int | None
) -> list[dict[str, Any]]:
    """Return the examples with their sentence, clip and, where there is a clip to decode, a strip of its frames.

    Args:
        examples: As `find_examples` returns them.
        utterances: The corpus's table.
        media: The folder that the paths of clips start from.
        folder: Where strips are written, below examples/.
        frames: How many a strip shows, None for features that a corpus brings.
    """
    rows = {row["utterance_id"]: (i, row) for i, row in enumerate(utterances.iter_rows(named=True))}
    shown = []
    for example in examples:
        (number, row), strip = rows[example["utterance_id"]], None
        if frames is not None and row["clip"] is not None:
            strip = f"examples/{number}.png"  # by its row: an id may be any text, and is no name of a file
            (folder / "examples").mkdir(exist_ok=True)
            clip = Clip.parse(row["clip"], media)
            (pictures,) = read_parts(clip.path, [clip.part], frames, None, _small)
            if isinstance(pictures, ClipUnreadable):
                strip = None
            else:
                _side_by_side(pictures).save(folder / strip)
        shown.append({**example, "text": row["text"], "clip": row["clip"], "strip": strip})
    return shown


def _small(frame: Image.Image) -> Image.Image:
    """Return a frame that fits into the height of a strip and _WIDEST times that, and is a pixel wide at least."""
    scale = min(1.0, _STRIP_HEIGHT / frame.height, _WIDEST * _STRIP_HEIGHT / frame.width)
    return frame.resize((max(1, round(frame.width * scale)), max(1, round(frame.height * scale))))


def _side_by_side(frames: list[Image.Image]) -> Image.Image:
    height = max(_LOWEST, *(frame.height for frame in frames))
    strip = Image.new("RGB", (sum(frame.width for frame in frames), height))
    left = 0
    for frame in frames:
        strip.paste(frame, (left, 0))
        left += frame.width
    return strip
