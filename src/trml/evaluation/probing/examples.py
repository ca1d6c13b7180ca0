"""Single utterances to look at: where the proposed method errs most and least when a modality is missing."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from trml.base.errors import ClipUnreadable
from trml.evaluation.metrics import Array
from trml.evaluation.predictions import Evaluation
from trml.missing.conditions import Condition
from trml.sources.formats.video_reader import Clip, read_frames

WORST, BEST = 4, 2

_STRIP_HEIGHT = 128  # pixels, at most


def mean_error(predictions: Array, label: Array, task: str) -> Array:
    """The error [N] of predictions [seeds, N], the mean over seeds: the distance, or for classes how often wrong."""
    wrong = np.abs(predictions - label) if task == "regression" else (predictions != label).astype(float)
    return wrong.mean(axis=0)


def pick(error: Array, with_both: Array) -> list[tuple[int, str]]:
    """The places of the largest errors, then of the smallest, with their outcome (`worst` or `best`). Of equal errors
    the one with the smaller error with both modalities comes first, then the earlier place."""
    worst = np.lexsort((with_both, -error))[:WORST].tolist()
    best = [i for i in np.lexsort((with_both, error)).tolist() if i not in worst][:BEST]
    return [*((i, "worst") for i in worst), *((i, "best") for i in best)]


def find_examples(
    evaluation: Evaluation, proposed: str, victims: list[str], places: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """The picked utterances, among those at these places of the test split, with the predictions of every method."""
    plan, found = evaluation.plan, []
    for victim in victims:
        trained = plan.params.protocol.study_rate
        by_method = {
            method: {
                key: evaluation.predictions(method, Condition(victim, rate, trained, trained))
                for key, rate in (("missing", 1.0), ("complete", 0.0))
            }
            for method in plan.params.methods
        }
        error, with_both = (
            mean_error(by_method[proposed][key], evaluation.label, evaluation.info.task)
            for key in ("missing", "complete")
        )
        for i, outcome in pick(error[places], with_both[places]):
            place = places[i]
            predictions = {
                method: {key: _plain(of_seeds[:, place]) for key, of_seeds in both.items()}
                for method, both in by_method.items()
            }
            found.append(
                {
                    "victim": victim,
                    "outcome": outcome,
                    "utterance_id": evaluation.ids[place],
                    "label": round(float(evaluation.label[place]), 6),  # f32 in the corpus
                    "error": round(float(error[place]), 6),
                    "predictions": predictions,
                }
            )
    return found


def _plain(values: Array) -> list[float | None]:
    """Numbers that JSON can hold: None for a seed whose training failed."""
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


def with_media(
    examples: list[dict[str, Any]], utterances: pl.DataFrame, media: Path, folder: Path, frames: int | None
) -> list[dict[str, Any]]:
    """The examples with their sentence, the path of their clip in the folder `media`, and, where there is a clip to
    decode (`frames` of it), a strip of its frames written below `folder`."""
    rows = {row["utterance_id"]: row for row in utterances.iter_rows(named=True)}
    found = []
    for example in examples:
        row, strip = rows[example["utterance_id"]], None
        if frames is not None and row["clip"] is not None:
            strip = f"examples/{quote(example['utterance_id'], safe='')}.png"
            (folder / "examples").mkdir(exist_ok=True)
            try:
                _side_by_side(read_frames(Clip.parse(row["clip"], media), frames)).save(folder / strip)
            except ClipUnreadable:
                strip = None
        found.append({**example, "text": row["text"], "clip": row["clip"], "strip": strip})
    return found


def _side_by_side(frames: list[Image.Image]) -> Image.Image:
    height = min(_STRIP_HEIGHT, frames[0].height)
    resized = [frame.resize((round(frame.width * height / frame.height), height)) for frame in frames]
    strip = Image.new("RGB", (sum(frame.width for frame in resized), height))
    left = 0
    for frame in resized:
        strip.paste(frame, (left, 0))
        left += frame.width
    return strip
