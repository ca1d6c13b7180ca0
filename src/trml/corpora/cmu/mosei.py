"""Build CMU-MOSEI. Its labels have no order and not every segment has one, so they are matched by time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trml.corpora.cmu import build as cmu
from trml.corpora.cmu.build import Pairing, Segment
from trml.corpora.cmu.config import CmuMoseiConfig
from trml.corpora.common.raw_layout import normalised
from trml.sources.formats.csd import Sequence as LabelSequence
from trml.sources.formats.limits import CELLS
from trml.sources.formats.numbers import SECONDS, count, number

# Seconds by which both ends of a label may differ from its segment's. Both files have the same times, with different
# numbers of digits; the segments of a video differ by far more.
TOLERANCE_S = 0.1


def _parse(video: str, line: str) -> Segment | None:
    """Parse `<video>___<number>___<start>___<end>___<text>`. The video's name may end in an underscore."""
    head, fields = line[: len(video) + 3], line[len(video) + 3 :].split("___", 3)
    if head != f"{video}___" or len(fields) != 4:
        return None
    place, start, end = count(fields[0]), number(fields[1]), number(fields[2])
    if place is None or start is None or end is None or max(abs(start), abs(end)) > SECONDS:
        return None
    return Segment(place, normalised(fields[3]), start, end)


def _pair(video: str, segments: Sequence[Segment], labels: LabelSequence) -> Pairing:
    """Match the nearest first, each segment and label once. The distance is the larger of the two ends'."""
    if len(segments) * len(labels.intervals) > CELLS:
        return Pairing([], [(video, "a video with more segments and labels than can be matched")])
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
    columns=7,
    official={"train": 16327, "valid": 1871, "test": 4662},
    notes=(
        "Splits: the standard folds of the CMU Multimodal SDK, by video: 2249 train, 300 valid, 678 test.",
        "The label is the sentiment. The six emotions of the label file are not used.",
    ),
    parse=_parse,
    pair=_pair,
)


def build(config: CmuMoseiConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: labels in [-3, 3]."""
    cmu.build(LAYOUT, config, data, folder, digest)
