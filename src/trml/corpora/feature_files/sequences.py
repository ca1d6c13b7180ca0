"""Given features in three computational sequences (.csd) of the CMU Multimodal SDK: labels, text, vision."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.corpora.contract import SPLITS
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.feature_files.layouts import differs, labels_of
from trml.corpora.feature_files.scaling import Given, Rows
from trml.sources.formats.csd import Sequence, read_csd

FOLDS = Path(__file__).parent.parent / "common" / "folds"


def fold_files() -> list[Path]:
    """The official folds that there are."""
    return sorted(FOLDS.glob("cmu_*.json"))


def read_sequences(paths: list[Path], config: ArraysConfig) -> Given:
    """An utterance for each interval of the labels, named video[i]. Its rows are those whose interval has its middle in
    it. Splits are the official folds of the corpus that most videos are of; videos of no fold are left out."""
    labels, text, vision = (read_csd(path) for path in paths)
    split_of = _splits(paths[0], labels)
    found: dict[str, list[Any]] = {key: [] for key in ("utterance_id", "video_id", "split", "start_s", "end_s")}
    values, left_out = [], []
    for video, sequence in labels.items():
        for i, (start, end) in enumerate(sequence.intervals):
            if video not in split_of:
                left_out.append((f"{video}[{i}]", "its video is in none of the official folds"))
                continue
            for key, value in zip(found, (f"{video}[{i}]", video, split_of[video], start, end), strict=True):
                found[key].append(value)
            values.append(sequence.features[i])
    n = len(values)
    if len({len(value) for value in values}) > 1:
        differs(f"{paths[0]}: features", "rows of several widths", "one or seven labels in each")
    table = pl.DataFrame(found).with_columns(
        pl.lit("").alias("text"),
        pl.Series("label", labels_of(f"{paths[0]}: features", np.array(values), n, config), pl.Float64),
    )
    text_width, frame_width = (_width(path, each) for path, each in zip(paths[1:], (text, vision), strict=True))
    absent = [sum(video not in each for video in set(found["video_id"])) for each in (text, vision)]
    return Given(
        table,
        _segments(table, text, text_width),
        _segments(table, vision, frame_width),
        (text_width, frame_width),
        (f"{paths[1].name}", f"{paths[2].name}"),
        [f"Videos of the labels that are not in {p.name}: {n}." for p, n in zip(paths[1:], absent, strict=True) if n],
        left_out,
    )


def _splits(path: Path, labels: dict[str, Sequence]) -> dict[str, str]:
    """The split of each video by the folds that know most of them."""
    folds = [json.loads(file.read_text()) for file in fold_files()]
    known = [{video: split for split in SPLITS for video in fold[split]} for fold in folds]
    best = max(known, key=lambda of: len(of.keys() & labels.keys()), default={})
    if not best.keys() & labels.keys():
        differs(f"{path}", f"videos {sorted(labels)[:3]}", "videos of the official folds of CMU-MOSI or CMU-MOSEI")
    return best


def _width(path: Path, sequences: dict[str, Sequence]) -> int:
    widths = {(sequence.features.shape[1], sequence.features.dtype.kind in "fiu") for sequence in sequences.values()}
    if len(widths) != 1 or not all(numbers for _, numbers in widths):
        what = "words" if any(not numbers for _, numbers in widths) else f"widths {sorted(w for w, _ in widths)}"
        differs(f"{path}: features", what, "numbers of one width, as vectors of words or faces")
    return widths.pop()[0]


def _segments(table: pl.DataFrame, sequences: dict[str, Sequence], width: int) -> Rows:
    """The rows of each utterance, found by their middles in order of time."""
    videos, spans = table["video_id"].to_list(), table.select("start_s", "end_s").to_numpy()
    middles = {video: sequence.intervals.mean(axis=1) for video, sequence in sequences.items()}
    order = {video: np.argsort(middle, kind="stable") for video, middle in middles.items()}
    sorted_ = {video: middles[video][order[video]] for video in middles}

    def rows(i: int) -> NDArray[Any]:
        video = videos[i]
        if video not in sequences:
            return np.zeros((0, width))
        first, last = np.searchsorted(sorted_[video], spans[i])
        return sequences[video].features[order[video][first:last]]

    return rows
