"""Read given features from computational sequences (.csd) of the CMU Multimodal SDK: labels, and one a modality."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.printable import one_line, shortened
from trml.corpora.common.official_splits import cmu_fold_files
from trml.corpora.contract import SPLITS
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.feature_files.layouts import differs, labels_of
from trml.corpora.feature_files.scaling import Given, GivenSignal, Rows, require_room
from trml.sources.formats.csd import Sequence, read_csd

_REVERSED = "its interval ends before it starts"

_SHOWN = 80  # characters of a name


def read_sequences(paths: list[Path], config: ArraysConfig) -> Given:
    """Read an utterance for each interval of the labels, named video[i].

    Its rows are those whose interval has its middle in it. Splits are the official folds of the corpus that most videos
    belong to. Videos of no fold are left out.

    Args:
        paths: The labels, then one file for each modality, in order.
        config: The corpus's options.
    """
    labels = read_csd(paths[0])
    require_room(paths[0], sum(len(sequence.intervals) for sequence in labels.values()))
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
    notes = list(_on_labels(table, turned))
    videos = set(columns["video_id"])
    for modality, path in files.items():
        width = _width(path, sequences[modality])
        signals[modality] = GivenSignal(_segments(table, sequences[modality], width), width, path.name)
        if absent := len(videos - sequences[modality].keys()):
            notes.append(f"Videos of the labels that are not in {path.name}: {absent}.")
        notes += _on_times(table, sequences[modality], path.name)
    return Given(table, signals, notes, left_out)


def _on_labels(table: pl.DataFrame, turned: list[str]) -> Iterator[str]:
    """Yield notes on intervals of labels that may be a mistake."""
    if turned:
        some = one_line(turned[0][:_SHOWN])
        yield f"Labels whose interval ends before it starts, left out: {len(turned)} ({some})."
    place = pl.struct("video_id", "start_s", "end_s")
    if same := table.filter(place.is_duplicated())["utterance_id"].to_list():
        yield (
            f"ATTENTION: {len(same):,} labels have the interval of another in their video, and so the same features "
            f"(first {one_line(same[0][:_SHOWN])})."
        )


def _on_times(table: pl.DataFrame, sequences: dict[str, Sequence], name: str) -> Iterator[str]:
    """Yield notes on rows that are not where they should be: the middle of a row tells whose it is."""
    spans = {str(video): part for (video,), part in table.group_by("video_id")}
    found = {video: sequence.intervals for video, sequence in sequences.items() if video in spans}
    rows = sum(len(intervals) for intervals in found.values())
    turned = sum(int((intervals[:, 1] < intervals[:, 0]).sum()) for intervals in found.values())
    equal = sum(len(intervals) - len(np.unique(intervals, axis=0)) for intervals in found.values())
    outside = 0
    for video, intervals in found.items():
        middles = np.sort(intervals.mean(axis=1))
        inside = np.zeros(len(middles) + 1, np.int64)  # +1 where a label begins, -1 where it ends
        bounds = np.searchsorted(middles, spans[video].select("start_s", "end_s").to_numpy())
        np.add.at(inside, bounds[:, 0], 1)
        np.add.at(inside, bounds[:, 1], -1)
        outside += int((inside.cumsum()[:-1] <= 0).sum())
    if turned:
        yield f"ATTENTION: {turned:,} of {rows:,} rows of {name} have an interval that ends before it starts."
    if 10 * equal > rows:
        yield f"ATTENTION: {equal:,} of {rows:,} rows of {name} have the interval of another row of their video."
    if outside:
        mark = "ATTENTION: " if 2 * outside > rows else ""
        unit = " Are its times in seconds, as those of the labels?" if mark else ""
        yield f"{mark}{outside:,} of {rows:,} rows of {name} are in no label's interval and are not used.{unit}"


def _splits(path: Path, labels: dict[str, Sequence]) -> dict[str, str]:
    """Return the split of each video, by the folds that have most of them."""
    folds = [json.loads(file.read_text()) for file in cmu_fold_files()]
    known = [{video: split for split in SPLITS for video in fold[split]} for fold in folds]
    best = max(known, key=lambda of: len(of.keys() & labels.keys()), default={})
    if not best.keys() & labels.keys():
        differs(
            f"{path}",
            f"videos {shortened(sorted(labels)[:3])}",
            "videos of the official folds of CMU-MOSI or CMU-MOSEI",
        )
    return best


def _width(path: Path, sequences: dict[str, Sequence]) -> int:
    widths = {(sequence.features.shape[1], sequence.features.dtype.kind in "fiu") for sequence in sequences.values()}
    if len(widths) != 1 or not all(numbers for _, numbers in widths):
        what = (
            "words"
            if any(not numbers for _, numbers in widths)
            else f"widths {shortened(sorted(w for w, _ in widths))}"
        )
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
