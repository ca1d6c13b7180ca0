"""Clean, scale and write given features, whatever file they came in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.base.confined import memory_for
from trml.base.errors import ContractError
from trml.base.progress import track
from trml.sources.formats.limits import ROWS, UTTERANCE

Rows = Callable[[int], NDArray[Any]]

_A_VALUE, _A_COLUMN = 40, 80  # bytes for a value of the utterance at hand, in all its forms, and to scale a column


@dataclass(frozen=True)
class GivenSignal:
    """One modality as the reader of a layout returns it.

    Attributes:
        rows: Number of an utterance -> its rows [t, d] in time order; t is 0 if the modality is absent.
        width: d.
        where: The file and key that messages name.
    """

    rows: Rows
    width: int
    where: str


@dataclass(frozen=True)
class Given:
    """What the reader of a layout returns (layouts.py, sequences.py).

    Attributes:
        table: utterance_id, video_id, split, text, start_s, end_s and label, one row an utterance.
        signals: By modality, in order.
        notes: For the reader of the results.
        left_out: Items that are in no utterance, each with the reason.
    """

    table: pl.DataFrame
    signals: Mapping[str, GivenSignal]
    notes: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Count:
    """What cleaning changed in the array of one modality.

    Attributes:
        values: Numbers in all.
        not_finite: Numbers that are NaN or infinite.
        rows_lost: Rows without a finite number.
        without: Utterances without the modality.
    """

    values: int = 0
    not_finite: int = 0
    rows_lost: int = 0
    without: int = 0


def cleaned(rows: NDArray[Any], count: Count) -> NDArray[np.float32]:
    """Return the rows [t, d] that are present, with finite values, and count what was changed.

    A value that is not finite (in f32) counts as 0. Rows without a finite value are absent. Rows of zeros at either end
    are padding and absent; rows of zeros in between stay.
    """
    with np.errstate(over="ignore"):
        values = np.array(rows, dtype=np.float32)
    finite = np.isfinite(values)
    count.values += values.size
    if not finite.all():
        count.not_finite += int((~finite).sum())
        count.rows_lost += int((~finite.any(axis=1)).sum())
        values[~finite] = 0
    filled = np.flatnonzero(values.any(axis=1))
    if filled.size == 0:
        count.without += 1
        return values[:0]
    span = slice(filled[0], filled[-1] + 1)
    return values[span][finite[span].any(axis=1)]


def spread(rows: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Return at most so many of the rows, evenly spaced, including the first and the last."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]


def mean_row(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the rows [t, d] as [1, d]; no row for none."""
    return rows.mean(axis=0, dtype=np.float64, keepdims=True).astype(np.float32) if len(rows) else rows


class Scale:
    """The mean and deviation of each column over the training rows, and its range, which shows constant columns."""

    def __init__(self, width: int) -> None:
        self.n = 0
        self.sum, self.squares = np.zeros(width), np.zeros(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)
        self.first: NDArray[np.float64] | None = None

    def add(self, rows: NDArray[np.float32]) -> None:
        """Add rows [t, d]. Differences to the first row are summed, so that a large mean costs no digits."""
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
        """Columns that vary by less than a millionth of their size, bool [d]."""
        return self.high - self.low <= 1e-6 * np.maximum(np.abs(self.low), np.abs(self.high))

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return standardised rows. Columns that are constant in the training part are 0."""
        assert self.first is not None
        mean = self.sum / self.n
        deviation = np.sqrt(np.maximum(self.squares / self.n - mean**2, 0))
        deviation[self.constant] = np.inf
        with np.errstate(over="ignore"):
            return ((rows - self.first - mean) / np.maximum(deviation, np.finfo(np.float64).tiny)).astype(np.float32)


@dataclass(frozen=True)
class _Cleaned:
    """One modality, cleaned but not scaled: `lengths` i64 [N] rows of each utterance, in a file one after the other."""

    path: Path
    lengths: NDArray[np.int64]
    scale: Scale
    count: Count


def require_room(path: Path, utterances: int) -> None:
    """Raise ContractError if tables of so many utterances would take more than the budget of the file."""
    most = min(ROWS, memory_for(path) // UTTERANCE)
    if utterances > most:
        raise ContractError(f"{path} has {utterances:,} utterances; expected at most {most:,} in a file of its size")


def _check_room(given: Given, most: int, room: int) -> None:
    """Raise ContractError if the features, as the f32 numbers that they become, take more than the budget of a file."""
    taken = 0
    for name, signal in given.signals.items():
        values = longest = 0
        for i in range(given.table.height):
            length = len(signal.rows(i))
            values, longest = values + length * signal.width, max(longest, length)
            padded = given.table.height * signal.width * (1 if name == "text" else min(longest, most))
            takes = 4 * max(values, padded) + signal.width * (_A_VALUE * longest + _A_COLUMN)
            if taken + takes > room:
                words = f"its features take {taken + takes:,} bytes and more, as numbers of 4 bytes"
                raise ContractError(f"{signal.where}: {words}; reading the file may take {room:,}")
        taken += 4 * max(values, padded)


def write_given(
    given: Given, most: int, room: int, folder: Path
) -> tuple[pl.DataFrame, list[str], list[tuple[str, str]]]:
    """Write <modality>.npy f32 [N, T, d] and <modality>_mask.npy bool [N, T] of every modality.

    A text is the mean over its rows, so T is 1. Other modalities are sequences from the left, at most `most` rows of
    each. Memory does not grow with the sequences: they are cleaned into a file, then scaled from it into another.

    Args:
        given: What the reader of a layout returned.
        most: Rows of a sequence that are kept.
        room: Bytes that the features may take, the budget of their file.
        folder: Where to write.

    Returns:
        The rows of the table that have a modality, notes, and the utterances that have none.

    Raises:
        ContractError: If they take more, or the training part lacks a modality or is too far from the others.
    """
    _check_room(given, most, room)
    n = given.table.height
    of_train = (given.table["split"] == "train").to_numpy()
    parts = {name: _clean(name, given, of_train, most, folder) for name in given.signals}
    present = np.logical_or.reduce([part.lengths > 0 for part in parts.values()])
    kept = np.flatnonzero(present)
    for name, part in parts.items():
        _write(folder, name, part, kept, given.signals[name])
        part.path.unlink()
    ids, nothing = given.table["utterance_id"], f"none of {', '.join(given.signals)}"
    left_out = [(ids[i], nothing) for i in range(n) if not present[i]]
    return given.table[kept], [_note(name, part, given.signals[name]) for name, part in parts.items()], left_out


def _clean(name: str, given: Given, of_train: NDArray[np.bool_], most: int, folder: Path) -> _Cleaned:
    signal, n = given.signals[name], given.table.height
    path, lengths, scale, count = folder / f"{name}.part", np.zeros(n, np.int64), Scale(signal.width), Count()
    with path.open("wb") as file:
        for i in track(range(n), n, f"utterances read ({name})"):
            rows = cleaned(signal.rows(i), count)
            rows = mean_row(rows) if name == "text" else spread(rows, most)
            lengths[i] = len(rows)
            if of_train[i]:
                scale.add(rows)
            file.write(np.ascontiguousarray(rows).tobytes())
    if scale.n == 0:
        raise ContractError(f"{signal.where}: no utterance of split train has {name}; expected some in every modality")
    return _Cleaned(path, lengths, scale, count)


def _write(folder: Path, name: str, part: _Cleaned, kept: NDArray[np.int64], signal: GivenSignal) -> None:
    lengths, width = part.lengths, signal.width
    np.save(folder / f"{name}_mask.npy", np.arange(lengths.max())[None, :] < lengths[kept, None])
    shape = (len(kept), int(lengths.max()), width)
    values = np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)
    with part.path.open("rb") as file:
        for row, i in enumerate(kept):  # utterances that are left out have no rows in the file
            raw = np.frombuffer(file.read(4 * width * int(lengths[i])), np.float32).reshape(-1, width)
            values[row, : lengths[i]] = _scaled(part.scale, raw, signal.where)
    values.flush()


def _scaled(scale: Scale, rows: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    scaled = scale.apply(rows)
    if not np.isfinite(scaled).all():
        column = int(np.flatnonzero(~np.isfinite(scaled).all(axis=0))[0])
        raise ContractError(
            f"{where}: column {column} has values so far from those of split train that they cannot be scaled "
            f"({np.abs(rows[:, column]).max():g}; in train {scale.low[column]:g} to {scale.high[column]:g})"
        )
    return scaled


def _note(name: str, part: _Cleaned, signal: GivenSignal) -> str:
    count, scale = part.count, part.scale
    missing = f"{name} is missing in {count.without:,} of {len(part.lengths):,} utterances"
    says_little = scale.constant.all() or 2 * count.not_finite > count.values
    return (
        f"{'ATTENTION: ' if says_little else ''}{signal.where}: "
        f"{count.not_finite:,} of {count.values:,} values are not finite and count as 0; "
        f"{count.rows_lost:,} rows without a finite value are absent; {missing}; "
        f"{int(scale.constant.sum())} of {len(scale.sum)} columns are constant in split train and are 0; the others "
        "are scaled to mean 0 and deviation 1 in split train."
    )
