"""CMU-MOSEI in its raw layout. Labels are in no order and not every segment has one, so they are matched by time."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np

from trml.corpora.cmu import build as cmu
from trml.corpora.cmu.build import Pairing, Segment
from trml.corpora.cmu.config import CmuConfig
from trml.corpora.common.raw_layout import tidy
from trml.sources.formats.csd import Sequence as LabelSequence

# Seconds by which both ends of a label may differ from its segment's. They are the same numbers, written with more or
# fewer digits; segments of a video differ by far more.
TOLERANCE_S = 0.1


def _parse(video: str, line: str) -> Segment | None:
    """`<video>___<number>___<start>___<end>___<text>`; the video's own name may end in an underscore."""
    head, fields = line[: len(video) + 3], line[len(video) + 3 :].split("___", 3)
    if head != f"{video}___" or len(fields) != 4 or not fields[0].strip().isdecimal():
        return None
    try:
        start, end = float(fields[1]), float(fields[2])
    except ValueError:
        return None
    return Segment(int(fields[0]), tidy(fields[3]), start, end) if isfinite(start) and isfinite(end) else None


def _pair(video: str, segments: Sequence[Segment], labels: LabelSequence) -> Pairing:
    """The nearest first, each segment and each label once; the distance is that of the ends farther apart."""
    times = np.array([(segment.start_s, segment.end_s) for segment in segments]).reshape(-1, 2)
    distance = np.abs(labels.intervals[:, None] - times[None]).max(axis=2, initial=0.0)  # [rows, segments]
    row_of: dict[int, int] = {}  # by place of the segment
    for flat in np.argsort(distance, axis=None, kind="stable"):
        row, place = divmod(int(flat), len(segments))
        if distance[row, place] > TOLERANCE_S:
            break
        if place not in row_of and row not in row_of.values():
            row_of[place] = row
    left_out = [
        (f"{video}_{segment.number}", f"a segment without a label within {TOLERANCE_S:g} s")
        for place, segment in enumerate(segments)
        if place not in row_of
    ]
    left_out += [
        (f"{video}, {start:.3f} to {end:.3f} s", f"a label without a segment of its own within {TOLERANCE_S:g} s")
        for row, (start, end) in enumerate(labels.intervals)
        if row not in row_of.values()
    ]
    return Pairing([(segments[place], row_of[place]) for place in sorted(row_of)], left_out)


LAYOUT = cmu.Layout(
    title="CMU-MOSEI",
    source="CMU-MOSEI (Zadeh et al., ACL 2018)",
    labels="CMU_MOSEI_Labels.csd",
    columns=7,
    transcripts="Raw/Transcript/Segmented/Combined/*.txt",
    segmented="Raw/Videos/Segmented/Combined",
    full="Raw/Videos/Full/Combined",
    official={"train": 16327, "valid": 1871, "test": 4662},
    notes=(
        "Splits: the standard folds of the CMU Multimodal SDK, by video: 2249 train, 300 valid, 678 test.",
        "The label is the sentiment; the six emotions of the label file are not used.",
    ),
    parse=_parse,
    pair=_pair,
)


def raw_files(config: CmuConfig, data: Path) -> list[Path]:
    """The files a user has to bring, or to fetch."""
    return cmu.raw_files(LAYOUT, config, data)


def build(config: CmuConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder` with the corpus: labels in [-3, 3]."""
    cmu.build(LAYOUT, config, data, folder, digest)
