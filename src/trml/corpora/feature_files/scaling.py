"""Features of another's making, whatever file they came in: what they are cleaned of, and how they are scaled."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.errors import ContractError
from trml.base.progress import track

Rows = Callable[[int], NDArray[Any]]


@dataclass(frozen=True)
class Given:
    """What a layout's reader finds (layouts.py, sequences.py).

    table: utterance_id, video_id, split, text, start_s, end_s, label, a row an utterance. text, frames: from the number
    of an utterance to its rows [t, d] of numbers, in time order, none where there are none; d is the width. where: for
    each of the two, the file and key that messages name.
    """

    table: pl.DataFrame
    text: Rows
    frames: Rows
    widths: tuple[int, int]
    where: tuple[str, str]
    notes: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Count:
    """What was found in one array."""

    values: int = 0
    not_finite: int = 0
    frames_lost: int = 0
    without: int = 0


def cleaned(rows: NDArray[Any], count: Count) -> NDArray[np.float32]:
    """The rows [t, d] that are there, with finite values.

    A value that is not finite (in f32) is 0 from here on; a row of which none is finite is not there. Rows of zeros
    before the first other row and after the last are padding, and not there; rows of zeros in between stay.
    """
    with np.errstate(over="ignore"):
        values = np.array(rows, dtype=np.float32)
    finite = np.isfinite(values)
    count.values += values.size
    if not finite.all():
        count.not_finite += int((~finite).sum())
        count.frames_lost += int((~finite.any(axis=1)).sum())
        values[~finite] = 0
    filled = np.flatnonzero(values.any(axis=1))
    if filled.size == 0:
        count.without += 1
        return values[:0]
    span = slice(filled[0], filled[-1] + 1)
    return values[span][finite[span].any(axis=1)]


def spread(rows: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """At most so many of the rows, evenly chosen, the first and the last among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]


class Scale:
    """Mean and deviation of each column over the rows of the training part, and the range that shows which are
    constant there."""

    def __init__(self, width: int) -> None:
        self.n = 0
        self.sum, self.squares = np.zeros(width), np.zeros(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)
        self.first: NDArray[np.float64] | None = None

    def add(self, rows: NDArray[np.float32]) -> None:
        """Take in rows [t, d]. Sums are of differences to the first row, so that a large mean costs no digits."""
        if len(rows) == 0:
            return
        wide = rows.astype(np.float64)
        self.first = wide[0].copy() if self.first is None else self.first
        self.low, self.high = np.minimum(self.low, wide.min(axis=0)), np.maximum(self.high, wide.max(axis=0))
        wide -= self.first
        self.n += len(wide)
        self.sum += wide.sum(axis=0)
        self.squares += (wide**2).sum(axis=0)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Columns that move by less than a millionth of their size."""
        return self.high - self.low <= 1e-6 * np.maximum(np.abs(self.low), np.abs(self.high))

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standardised rows; columns that are constant in the training part are 0 in all."""
        assert self.first is not None
        mean = self.sum / self.n
        deviation = np.sqrt(np.maximum(self.squares / self.n - mean**2, 0))
        deviation[self.constant] = np.inf
        with np.errstate(over="ignore"):
            return ((rows - self.first - mean) / np.maximum(deviation, np.finfo(np.float64).tiny)).astype(np.float32)


def write_given(given: Given, most: int, folder: Path) -> tuple[pl.DataFrame, list[str], list[tuple[str, str]]]:
    """Write text.npy f32 [N, d_t], frames.npy f32 [N, T, d_v], frame_mask.npy bool [N, T] and present.npy bool [N, 2]
    (text, vision) to `folder`: text is the mean over its rows, frames are from the left, at most `most` of them.

    Returns the table's rows that are there, notes, and what is left out: utterances with neither text nor frames.
    Memory does not grow with the frames: they are cleaned into a file, and scaled from it into another.
    """
    n, (text_width, frame_width) = given.table.height, given.widths
    text, lengths = np.zeros((n, text_width), np.float32), np.zeros(n, np.int64)
    has_text, counts = np.zeros(n, bool), (Count(), Count())
    scales = Scale(text_width), Scale(frame_width)
    of_train = (given.table["split"] == "train").to_numpy()
    unscaled = folder / "frames.part"
    with unscaled.open("wb") as file:
        for i in track(range(n), n, "utterances read"):
            words = cleaned(given.text(i), counts[0])
            frames = spread(cleaned(given.frames(i), counts[1]), most)
            has_text[i], lengths[i] = len(words) > 0, len(frames)
            if has_text[i]:
                text[i] = words.mean(axis=0, dtype=np.float64)
            if of_train[i]:
                scales[0].add(text[i : i + 1] if has_text[i] else words)
                scales[1].add(frames)
            file.write(np.ascontiguousarray(frames).tobytes())
    for scale, where, what in zip(scales, given.where, ("text", "frame"), strict=True):
        if scale.n == 0:
            raise ContractError(f"{where}: no utterance of split train has a {what}; expected text and video")
    kept = np.flatnonzero(has_text | (lengths > 0))
    np.save(folder / "text.npy", np.where(has_text[:, None], _scaled(scales[0], text, given.where[0]), 0)[kept])
    np.save(folder / "present.npy", np.stack([has_text, lengths > 0], axis=1)[kept])
    np.save(folder / "frame_mask.npy", np.arange(lengths.max())[None, :] < lengths[kept, None])
    _write_frames(folder, unscaled, lengths, kept, scales[1], given.where[1])
    unscaled.unlink()
    ids = given.table["utterance_id"]
    left_out = [(ids[i], "neither text nor frames") for i in np.flatnonzero(~(has_text | (lengths > 0))).tolist()]
    notes = [_note(*each) for each in zip(given.where, ("texts", "clips"), counts, scales, strict=True)]
    return given.table[kept], notes, left_out


def _write_frames(
    folder: Path, unscaled: Path, lengths: NDArray[np.int64], kept: NDArray[np.int64], scale: Scale, where: str
) -> None:
    width = len(scale.sum)
    shape = (len(kept), int(lengths.max()), width)
    frames = np.lib.format.open_memmap(folder / "frames.npy", mode="w+", dtype=np.float32, shape=shape)
    with unscaled.open("rb") as file:
        for row, i in enumerate(kept):  # what is left out has no frames in the file
            raw = np.frombuffer(file.read(4 * width * int(lengths[i])), np.float32).reshape(-1, width)
            frames[row, : lengths[i]] = _scaled(scale, raw, where)
    frames.flush()


def _scaled(scale: Scale, rows: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    scaled = scale.apply(rows)
    if not np.isfinite(scaled).all():
        column = int(np.flatnonzero(~np.isfinite(scaled).all(axis=0))[0])
        raise ContractError(
            f"{where}: column {column} has values so far from those of split train that they cannot be scaled "
            f"({np.abs(rows[:, column]).max():g}, where train reaches from {scale.low[column]:g} to "
            f"{scale.high[column]:g})"
        )
    return scaled


def _note(where: str, what: str, count: Count, scale: Scale) -> str:
    return (
        f"{where}: {count.not_finite:,} of {count.values:,} values are not finite and count as 0; "
        f"{count.frames_lost:,} rows without a finite value are not there; {count.without:,} {what} are missing; "
        f"{int(scale.constant.sum())} of {len(scale.sum)} columns are constant in split train and are 0; the "
        "others are scaled to mean 0 and deviation 1 in split train."
    )
