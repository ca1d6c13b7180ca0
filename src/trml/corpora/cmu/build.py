"""What CMU-MOSI and CMU-MOSEI have in common in their raw layouts: a transcript a video, its segments, label rows of a
computational sequence, and clips, cut or parts of the whole video. How they differ is a Layout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from trml.base.errors import ContractError
from trml.corpora.cmu.config import CmuConfig
from trml.corpora.common.official_splits import read_folds
from trml.corpora.common.raw_layout import Gathered, Utterance, find_files, write_raw
from trml.corpora.contract import CorpusInfo
from trml.sources.formats.csd import Sequence as LabelSequence
from trml.sources.formats.csd import read_csd
from trml.sources.formats.video_reader import part_of


class Segment(NamedTuple):
    """A line of a transcript; its times in seconds where the transcript has them."""

    number: int
    text: str
    start_s: float = 0.0
    end_s: float = 0.0


class Pairing(NamedTuple):
    """Segments with the rows of their labels, and what has no counterpart."""

    pairs: list[tuple[Segment, int]]
    left_out: list[tuple[str, str]]


@dataclass(frozen=True)
class Layout:
    """One of the two corpora. Paths are below the corpus's folder; `columns` of the labels, sentiment first.

    parse: the segment in a line of a video's transcript, None where there is none to read.
    pair: which of a video's segments have which rows of its labels.
    """

    title: str
    source: str
    labels: str
    columns: int
    transcripts: str
    segmented: str
    full: str
    official: dict[str, int]
    notes: tuple[str, ...]
    parse: Callable[[str, str], Segment | None]
    pair: Callable[[str, Sequence[Segment], LabelSequence], Pairing]


def raw_files(layout: Layout, config: CmuConfig, data: Path) -> list[Path]:
    """The labels, and the transcripts and clips of the official folds' videos. Raises DataMissing."""
    folds = read_folds(config.kind)
    labels = find_files(config.name, data, config.folder, layout.labels)
    transcripts = [path for path in _transcripts(layout, config, data) if path.stem in folds]
    return sorted([*labels, *transcripts, *_clips(layout, config, data).values()])


def build(layout: Layout, config: CmuConfig, data: Path, folder: Path, digest: str) -> None:
    """Fill `folder` with the corpus: labels are the sentiment in [-3, 3]. Raises DataMissing and ContractError."""
    info = CorpusInfo(
        name=config.name,
        title=layout.title,
        task="regression",
        classes=[],
        source=layout.source,
        licence=config.licence,
        media="raw",
        notes=[*layout.notes, _how_clips_are_made(config)],
        digest=digest,
        root=config.folder,
    )
    write_raw(folder, info, _gather(layout, config, data), layout.official)


def _gather(layout: Layout, config: CmuConfig, data: Path) -> Gathered:
    (path,) = find_files(config.name, data, config.folder, layout.labels)
    labels = read_csd(path)
    for video, sequence in labels.items():
        _check_labels(path, video, sequence, layout.columns)
    transcripts = {path.stem: path for path in _transcripts(layout, config, data)}
    clips, folds, gathered = _clips(layout, config, data), read_folds(config.kind), Gathered()
    for video in sorted({*transcripts, *labels, *folds}):
        if video not in folds:
            gathered.leave_out(video, "a video in no official fold")
        elif video not in transcripts:
            gathered.leave_out(video, "a video without transcript")
        elif video not in labels:
            gathered.leave_out(video, "a video without labels")
        else:
            segments = _segments(layout, video, transcripts[video], gathered)
            pairs, left_out = layout.pair(video, segments, labels[video])
            gathered.left_out += left_out
            for segment, row in pairs:
                name = f"{video}_{segment.number}"
                # Some labels begin a little before their video.
                start, end = gathered.times(name, *(max(0.0, float(time)) for time in labels[video].intervals[row]))
                clip = _clip(config, data, clips, video, segment.number, start, end)
                label = float(labels[video].features[row, 0])
                gathered.add(Utterance(name, video, folds[video], segment.text, clip, start, end, label))
    return gathered


def _transcripts(layout: Layout, config: CmuConfig, data: Path) -> list[Path]:
    return find_files(config.name, data, config.folder, layout.transcripts)


def _clips(layout: Layout, config: CmuConfig, data: Path) -> dict[str, Path]:
    """The clips by name, or the whole videos, of the official folds' videos."""
    cut, folds = config.clips == "segmented", read_folds(config.kind)
    used, other = (layout.segmented, layout.full) if cut else (layout.full, layout.segmented)
    otherwise = ""
    if any((data / config.folder / other).glob("*.mp4")):
        otherwise = f", or take those of {other}: corpus.clips={'full' if cut else 'segmented'}"
    files = find_files(config.name, data, config.folder, f"{used}/*.mp4", otherwise)
    return {path.stem: path for path in files if (path.stem.rpartition("_")[0] if cut else path.stem) in folds}


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


def _segments(layout: Layout, video: str, path: Path, gathered: Gathered) -> list[Segment]:
    """The segments of a transcript, by number; lines that have none and numbers that were there before are left out."""
    found: dict[int, Segment] = {}
    for place, line in enumerate(gathered.read_lines(path), 1):
        segment = layout.parse(video, line) if line.strip() else None
        if segment is None and line.strip():
            gathered.leave_out(f"{path.name}, line {place}", "a line that is no segment")
        elif segment is not None and segment.number in found:
            gathered.leave_out(f"{path.name}, line {place}", "a segment whose number was there before")
        elif segment is not None:
            found[segment.number] = segment
    return [found[number] for number in sorted(found)]


def _clip(
    config: CmuConfig,
    data: Path,
    clips: dict[str, Path],
    video: str,
    number: int,
    start: float | None,
    end: float | None,
) -> str | None:
    """The clip of a segment below the corpus's folder. A segment of no length is no part of a whole video."""
    file = clips.get(f"{video}_{number}" if config.clips == "segmented" else video)
    if file is None:
        return None
    below = file.relative_to(data / config.folder).as_posix()
    if config.clips == "segmented":
        return below
    return None if start is None or end is None else part_of(below, start, end)


def _how_clips_are_made(config: CmuConfig) -> str:
    if config.clips == "segmented":
        return "Clips: the files that the corpus has for each segment."
    return "Clips: the seconds of the whole video that its label is given for."
