"""Read given features from computational sequences (.csd) of the CMU Multimodal SDK: labels, and one a modality."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.corpora.common.official_splits import cmu_fold_files
from trml.corpora.contract import SPLITS
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.feature_files.layouts import differs, labels_of
from trml.corpora.feature_files.scaling import Given, GivenSignal, Rows
from trml.sources.formats.csd import Sequence, read_csd

_REVERSED = "its interval ends before it starts"


def read_sequences(paths: list[Path], config: ArraysConfig) -> Given:
    """Read an utterance for each interval of the labels, named video[i].

    Its rows are those whose interval has its middle in it. Splits are the official folds of the corpus that most videos
    belong to. Videos of no fold are left out.

    Args:
        paths: The labels, then one file for each modality, in order.
        config: The corpus's options.
    """
    labels = read_csd(paths[0])
    files = dict(zip(config.modalities, paths[1:], strict=True))
    sequences = {modality: read_csd(path) for modality, path in files.items()}
    split_of = _splits(paths[0], labels)
    columns: dict[str, list[Any]] = {key: [] for key in ("utterance_id", "video_id", "split", "start_s", "end_s")}
    values, left_out = [], []
    for video, sequence in labels.items():
        for i, (start, end) in enumerate(sequence.intervals):
            if video not in split_of or end < start:
                why = (
                    f"{_REVERSED}: {start:g} s to {end:g} s"
                    if video in split_of
                    else "its video is in no official fold"
                )
                left_out.append((f"{video}[{i}]", why))
                continue
            for key, value in zip(columns, (f"{video}[{i}]", video, split_of[video], start, end), strict=True):
                columns[key].append(value)
            values.append(sequence.features[i])
    if not values:
        differs(f"{paths[0]}", "no label with an interval in a video of the folds", "some in each split")
    n = len(values)
    if len({len(value) for value in values}) > 1:
        differs(f"{paths[0]}: features", "rows of several widths", "one or seven labels in each")
    table = pl.DataFrame(columns).with_columns(
        pl.lit("").alias("text"),
        pl.Series("label", labels_of(f"{paths[0]}: features", np.array(values), n, config), pl.Float64),
    )
    signals: dict[str, GivenSignal] = {}
    turned = [what for what, why in left_out if why.startswith(_REVERSED)]
    notes = [f"Labels whose interval ends before it starts, left out: {len(turned)} ({turned[0]})."] if turned else []
    videos = set(columns["video_id"])
    for modality, path in files.items():
        width = _width(path, sequences[modality])
        signals[modality] = GivenSignal(_segments(table, sequences[modality], width), width, path.name)
        if absent := len(videos - sequences[modality].keys()):
            notes.append(f"Videos of the labels that are not in {path.name}: {absent}.")
    return Given(table, signals, notes, left_out)


def _splits(path: Path, labels: dict[str, Sequence]) -> dict[str, str]:
    """Return the split of each video, by the folds that have most of them."""
    folds = [json.loads(file.read_text()) for file in cmu_fold_files()]
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
    """Return a function from the number of an utterance to its rows, found by their middles, in order of time."""
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
