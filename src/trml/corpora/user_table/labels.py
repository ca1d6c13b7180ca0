"""Read the labels of a table: numbers in a range, or names of classes."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from trml.base.nearest import nearest
from trml.base.printable import shortened
from trml.corpora.user_table.config import OwnConfig
from trml.corpora.user_table.look_alike import groups, means_unknown, other_number
from trml.sources.formats.limits import CLASSES
from trml.sources.formats.numbers import number

MANY_CLASSES = 30  # a column with more values, and more than half as many as rows or than CLASSES, is not a label

_UNKNOWN = {"", "nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}

_IN_THESE = "expected numbers in these, or corpus.classes=[...]"

NOTED, _NAMED = 20, 6  # notes of one kind, and labels in a message

Fault = tuple[int | None, str]


@dataclass(frozen=True)
class Labels:
    """The labels of a table.

    Attributes:
        task: Which kind they are.
        classes: Their names in order, empty for regression.
        values: Of each row: a number in [-3, 3], the index of its class, or None.
        faults: What makes the column unusable, by line; None for the column as a whole.
        notes: What may be wrong with it.
    """

    task: Literal["regression", "classification"]
    classes: list[str]
    values: list[float | None]
    faults: list[Fault]
    notes: list[str] = field(default_factory=list)

    def name(self, value: float) -> str:
        """Return a label in words."""
        return shortened(self.classes[int(value)]) if self.task == "classification" else f"{value:g}"


def read_labels(config: OwnConfig, cells: list[str], lines: list[int]) -> Labels:
    """Read labels as classes if the configuration states them, as numbers if all are numbers, and else as words.

    Args:
        config: The corpus's options.
        cells: The column, "" for an empty cell.
        lines: The line of each cell.
    """
    numbers = [None if _is_blank(cell) else number(cell) for cell in cells]
    known = sum(not _is_blank(cell) for cell in cells)
    of_numbers = sum(label is not None for label in numbers)
    if config.classes or not of_numbers:
        return _classes(config.classes, cells, lines)
    if of_numbers == known:
        return _regression(config.label_range, numbers, cells, lines)
    rare, kind = (of_numbers, "a number") if 2 * of_numbers < known else (known - of_numbers, "not a number")
    odd: list[Fault] = [
        (
            line,
            f"label {shortened(cell)} is {kind}{_remedy(cell)}, unlike {known - rare:,} others; expected all numbers "
            "or all words, and an empty cell for an unknown label",
        )
        for line, cell, label in zip(lines, cells, numbers, strict=True)
        if not _is_blank(cell) and (label is None) == (kind == "not a number")
    ]
    return Labels("regression", [], list(numbers), odd)


def _is_blank(cell: str) -> bool:
    return cell.lower() in _UNKNOWN


def _regression(reach: list[float], numbers: list[float | None], cells: list[str], lines: list[int]) -> Labels:
    low, high = reach
    faults: list[Fault] = [
        (line, f"label {cell} is outside [{low:g}, {high:g}]")
        for line, cell, label in zip(lines, cells, numbers, strict=True)
        if label is not None and not low <= label <= high
    ]
    if faults:
        known = [label for label in numbers if label is not None]
        faults.append((None, _how_to_map(min(known), max(known), sorted(set(known)))))
        return Labels("regression", [], numbers, faults)
    if (low, high) == (-3.0, 3.0):
        return Labels("regression", [], numbers, [])
    return Labels("regression", [], [None if x is None else (x - low) / (high - low) * 6 - 3 for x in numbers], [])


def _how_to_map(low: float, high: float, different: list[float]) -> str:
    words = (
        f"labels reach from {low:g} to {high:g}. State their range, as corpus.label_range=[{low:g},{high:g}] (trml "
        f"check ... --label-range {low:g} {high:g}), and they are mapped to [-3, 3]"
    )
    if len(different) <= MANY_CLASSES:
        names = ",".join(f'"{number:g}"' for number in different)
        words += f"; or, if they name classes, corpus.classes=[{names}]"
    return words


def _classes(stated: list[str], cells: list[str], lines: list[int]) -> Labels:
    counts = Counter(cell for cell in cells if not _is_blank(cell))
    classes = stated or sorted(counts)
    index = {name: float(i) for i, name in enumerate(classes)}
    unknown = [name for name in counts if name not in index]
    near = {name: nearest(name, classes) for name in unknown[:NOTED]}  # no more lines than these are shown
    faults: list[Fault] = [
        (line, f"label {shortened(cell)} is not one of the classes{near.get(cell, '')}")
        for line, cell in zip(lines, cells, strict=True)
        if cell in counts and cell not in index
    ]
    foreign = sorted(name for name in counts if number(_in_ascii(name)) is not None)
    if foreign and not stated:
        faults.append((None, f"label {shortened(foreign[0])} has other digits than 0 to 9; {_IN_THESE}"))
    numeric = [name for name in classes if other_number(name)]
    if len(numeric) == len(classes) and not stated:
        faults += [(None, f"label {shortened(name)} looks like a number {other_number(name)}") for name in numeric]
    alike = defaultdict(list)
    for name in classes:
        alike[name.casefold()].append(name)
    faults += [
        (None, f"labels {_and(names)} differ in capitals alone; expected one spelling")
        for names in alike.values()
        if len(names) > 1
    ]
    if len(counts) > max(MANY_CLASSES, min(CLASSES, sum(counts.values()) / 2)):
        faults.append(
            (
                None,
                f"label has {len(counts):,} different values on {sum(counts.values()):,} rows; expected a few classes, "
                "or numbers. Check that it is the right column",
            )
        )
    notes = [] if stated or len(numeric) == len(classes) else [*_not_meant(classes, counts)]
    return Labels("classification", classes, [index.get(cell) for cell in cells], faults, notes + _look_alike(classes))


def _in_ascii(name: str) -> str:
    """Return a name with digits of any script as 0 to 9; NFKC alone would leave those of Arabic and others."""
    plain = unicodedata.normalize("NFKC", name)
    return "".join(c if (digit := unicodedata.decimal(c, None)) is None else str(digit) for c in plain)


def _remedy(cell: str) -> str:
    return f" (it looks like one {other_number(cell)})" if other_number(cell) else ""


def _not_meant(classes: list[str], counts: Counter[str]) -> Iterator[str]:
    """Yield a note on each class that looks like a number or like an empty cell."""
    for name in classes:
        if remedy := other_number(name):
            yield f"ATTENTION: label {shortened(name)} looks like a number {remedy}. It counts as a class."
        if means_unknown(name):
            yield (
                f"ATTENTION: label {shortened(name)} is on {counts[name]:,} rows and counts as a class. If it means "
                "that the label is unknown, leave these cells empty."
            )


def _and(names: Sequence[str]) -> str:
    more = [f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    return " and ".join([*map(shortened, names[:_NAMED]), *more])


def _look_alike(classes: list[str]) -> list[str]:
    """Return a note on classes that differ in nothing that can be seen: accents, blanks, characters without width."""
    notes = []
    for names in groups(classes):
        if len({name.casefold() for name in names}) > 1:
            shown = " and ".join(f"{shortened(name)} ({len(name)} characters)" for name in names[:_NAMED])
            notes.append(f"ATTENTION: labels {shown} look alike and count as {len(names)} classes.")
    more = [f"ATTENTION: {len(notes) - NOTED:,} more groups of labels look alike."] if len(notes) > NOTED else []
    return notes[:NOTED] + more
