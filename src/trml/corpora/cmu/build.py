"""What the builds of CMU-MOSI and CMU-MOSEI share.

Both have a transcript of segments for each video, label rows in a computational sequence, and clips: cut ones, or parts
of the whole video. A Layout holds their differences.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trml.base.errors import ContractError
from trml.corpora.cmu.config import CmuConfig
from trml.corpora.common.official_splits import read_folds
from trml.corpora.common.raw_layout import RawCorpus, Utterance, write_raw
from trml.corpora.contract import CorpusInfo
from trml.sources.formats.csd import Sequence as LabelSequence
from trml.sources.formats.csd import read_csd
from trml.sources.formats.media_fragment import with_part


class Segment(NamedTuple):
    """A line of a transcript. Times are seconds, 0 if the transcript has none."""

    number: int
    text: str
    start_s: float = 0.0
    end_s: float = 0.0


class Pairing(NamedTuple):
    """Segments with the rows of their labels, and what has no counterpart, with the reason."""

    pairs: list[tuple[Segment, int]]
    left_out: list[tuple[str, str]]


@dataclass(frozen=True)
class Layout:
    """One of the two corpora.

    Attributes:
        title: Of the corpus.
        source: Where it is from.
        columns: Of the labels; the first is the sentiment.
        official: The published number of utterances in each split.
        notes: What a reader must know of it.
        parse: (video, line) -> the segment in a line of the video's transcript, None if there is none.
        pair: (video, segments, labels) -> which segments have which rows of the labels.
    """

    title: str
    source: str
    columns: int
    official: dict[str, int]
    notes: tuple[str, ...]
    parse: Callable[[str, str], Segment | None]
    pair: Callable[[str, Sequence[Segment], LabelSequence], Pairing]


def build(layout: Layout, config: CmuConfig, data: Path, folder: Path, digest: str) -> None:
    """Write a corpus into `folder`. Labels are the sentiment in [-3, 3].

    Raises:
        DataMissing: If raw files are absent.
        ContractError: If the labels do not have the expected form.
    """
    info = CorpusInfo(
        name=config.name,
        title=layout.title,
        task="regression",
        classes=[],
        source=layout.source,
        licence=config.licence,
        media="raw",
        notes=[*layout.notes, _CLIP_NOTES[config.clips]],
        digest=digest,
        root=config.folder,
    )
    write_raw(folder, info, _read(layout, config, data), layout.official)


_CLIP_NOTES = {
    "segmented": "Clips: the file that the corpus has for each segment.",
    "full": "Clips: the seconds of the whole video that the label is given for.",
}


def _read(layout: Layout, config: CmuConfig, data: Path) -> RawCorpus:
    path = config.label_file(data)
    labels = read_csd(path)
    for video, sequence in labels.items():
        _check_labels(path, video, sequence, layout.columns)
    transcripts, clips = config.transcript_files(data), config.clip_files(data)
    folds, raw = read_folds(config.kind), RawCorpus()
    for video in sorted({*transcripts, *labels, *folds}):
        if video not in folds:
            raw.leave_out(video, "a video in no official fold")
        elif video not in transcripts:
            raw.leave_out(video, "a video without transcript")
        elif video not in labels:
            raw.leave_out(video, "a video without labels")
        else:
            segments = _segments(layout, video, transcripts[video], raw)
            pairs, left_out = layout.pair(video, segments, labels[video])
            raw.left_out += left_out
            for segment, row in pairs:
                name = f"{video}_{segment.number}"
                # Some labels begin a little before their video.
                start, end = raw.times(name, *(max(0.0, float(time)) for time in labels[video].intervals[row]))
                clip = _clip(config, data, clips, video, segment.number, start, end)
                label = float(labels[video].features[row, 0])
                raw.add(Utterance(name, video, folds[video], segment.text, clip, start, end, label))
    return raw


def _check_labels(path: Path, video: str, sequence: LabelSequence, columns: int) -> None:
    """Raise ContractError unless the labels are numbers [n, columns], the first within [-3, 3], at times."""
    features = sequence.features
    if not np.issubdtype(features.dtype, np.number) or features.shape[1] != columns:
        raise ContractError(
            f"{path}: the labels of {video} are {features.dtype} {list(features.shape)}; "
            f"expected numbers [n, {columns}]"
        )
    for row, (sentiment, times) in enumerate(zip(features[:, 0], sequence.intervals, strict=True)):
        if not np.isfinite(times).all():
            raise ContractError(f"{path}: row {row} of {video} has the times {times.tolist()}; expected seconds")
        if not -3 <= sentiment <= 3:  # NaN too
            raise ContractError(f"{path}: row {row} of {video} has the sentiment {sentiment:g}; expected -3 to 3")


def _segments(layout: Layout, video: str, path: Path, raw: RawCorpus) -> list[Segment]:
    """Return the segments of a transcript by number. Lines without one and repeated numbers are left out."""
    segments: dict[int, Segment] = {}
    for place, line in enumerate(raw.read_lines(path), 1):
        segment = layout.parse(video, line) if line.strip() else None
        if segment is None and line.strip():
            raw.leave_out(f"{path.name}, line {place}", "a line that is not a segment")
        elif segment is not None and segment.number in segments:
            raw.leave_out(f"{path.name}, line {place}", "a segment with the number of an earlier one")
        elif segment is not None:
            segments[segment.number] = segment
    return [segments[number] for number in sorted(segments)]


def _clip(
    config: CmuConfig,
    data: Path,
    clips: dict[str, Path],
    video: str,
    number: int,
    start: float | None,
    end: float | None,
) -> str | None:
    """Return the clip of a segment, below the corpus's folder. A segment without length is no part of a whole video."""
    file = clips.get(f"{video}_{number}" if config.clips == "segmented" else video)
    if file is None:
        return None
    below = file.relative_to(data / config.folder).as_posix()
    if config.clips == "segmented":
        return below
    return None if start is None or end is None else with_part(below, start, end)
