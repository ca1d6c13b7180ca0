"""Build CMU-MOSI. Row i of a video's labels is its segment i + 1."""

from collections.abc import Sequence
from pathlib import Path

from trml.corpora.cmu import build as cmu
from trml.corpora.cmu.build import Pairing, Segment
from trml.corpora.cmu.config import CmuMosiConfig
from trml.corpora.common.raw_layout import normalised
from trml.sources.formats.csd import Sequence as LabelSequence
from trml.sources.formats.numbers import count


def _parse(video: str, line: str) -> Segment | None:
    """Parse `<number>_DELIM_<TEXT>`."""
    before, delimiter, text = line.partition("_DELIM_")
    place = count(before)
    return Segment(place, normalised(text)) if delimiter and place is not None else None


def _pair(video: str, segments: Sequence[Segment], labels: LabelSequence) -> Pairing:
    """Match by number: rows are not always in the order of their times, and two pairs of them have the same times.

    If a number is beyond the rows, one of the rows is absent. Nothing says which, so the whole video is left out.
    """
    rows = len(labels.intervals)
    if any(not 1 <= segment.number <= rows for segment in segments):
        return Pairing([], [(video, "a video with segments beyond the rows of its labels")])
    numbers = {segment.number for segment in segments}
    left_out = [
        (f"{video}_{number}", "a label without transcript") for number in range(1, rows + 1) if number not in numbers
    ]
    return Pairing([(segment, segment.number - 1) for segment in segments], left_out)


LAYOUT = cmu.Layout(
    title="CMU-MOSI",
    source="CMU-MOSI (Zadeh et al. 2016)",
    columns=1,
    official={"train": 1284, "valid": 229, "test": 686},
    notes=("Splits: the standard folds of the CMU Multimodal SDK, by video: 52 train, 10 valid, 31 test.",),
    parse=_parse,
    pair=_pair,
)


def build(config: CmuMosiConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: labels in [-3, 3]."""
    cmu.build(LAYOUT, config, data, folder, digest)
