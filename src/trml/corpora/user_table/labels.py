"""Read the labels of a table: numbers in a range, or names of classes."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from trml.base.nearest import nearest
from trml.corpora.user_table.config import OwnConfig

MANY_CLASSES = 30  # a column with more values, and more than half as many as rows, is not a label

Fault = tuple[int | None, str]


@dataclass(frozen=True)
class Labels:
    """The labels of a table.

    Attributes:
        task: Which kind they are.
        classes: Their names in order, empty for regression.
        values: Of each row: a number in [-3, 3], the index of its class, or None.
        faults: What makes the column unusable, by line; None for the column as a whole.
    """

    task: Literal["regression", "classification"]
    classes: list[str]
    values: list[float | None]
    faults: list[Fault]

    def name(self, value: float) -> str:
        """Return a label in words."""
        return repr(self.classes[int(value)]) if self.task == "classification" else f"{value:g}"


def read_labels(config: OwnConfig, cells: list[str], lines: list[int]) -> Labels:
    """Read labels as classes if the configuration states them, as numbers if all are numbers, and else as words.

    Args:
        config: The corpus's options.
        cells: The column, "" for an empty cell.
        lines: The line of each cell.
    """
    numbers = [_number(cell) for cell in cells]
    known = sum(not _is_blank(cell) for cell in cells)
    of_numbers = sum(number is not None for number in numbers)
    if config.classes or not of_numbers:
        return _classes(config.classes, cells, lines)
    if of_numbers == known:
        return _regression(config.label_range, numbers, cells, lines)
    rare, kind = (of_numbers, "a number") if 2 * of_numbers < known else (known - of_numbers, "not a number")
    odd: list[Fault] = [
        (
            line,
            f"label {cell!r} is {kind}, unlike {known - rare:,} others; expected all numbers or all words, and an "
            "empty cell for an unknown label",
        )
        for line, cell, number in zip(lines, cells, numbers, strict=True)
        if not _is_blank(cell) and (number is None) == (kind == "not a number")
    ]
    return Labels("regression", [], list(numbers), odd)


def _is_blank(cell: str) -> bool:
    return cell == "" or cell.lower() == "nan"


def _number(cell: str) -> float | None:
    try:
        return None if _is_blank(cell) else float(cell)
    except ValueError:
        return None


def _regression(reach: list[float], numbers: list[float | None], cells: list[str], lines: list[int]) -> Labels:
    low, high = reach
    finite = [number if number is not None and isfinite(number) else None for number in numbers]
    faults: list[Fault] = [
        (line, f"label {cell} is outside [{low:g}, {high:g}]")
        for line, cell, number in zip(lines, cells, finite, strict=True)
        if number is not None and not low <= number <= high
    ]
    if faults:
        known = [number for number in finite if number is not None]
        faults.append((None, _how_to_map(min(known), max(known), sorted(set(known)))))
        return Labels("regression", [], finite, faults)
    if (low, high) == (-3.0, 3.0):
        return Labels("regression", [], finite, [])
    return Labels("regression", [], [None if x is None else (x - low) / (high - low) * 6 - 3 for x in finite], [])


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
    faults: list[Fault] = [
        (line, f"label {cell!r} is not one of the classes{nearest(cell, classes)}")
        for line, cell in zip(lines, cells, strict=True)
        if cell in counts and cell not in index
    ]
    alike = defaultdict(list)
    for name in classes:
        alike[name.casefold()].append(name)
    faults += [
        (None, f"labels {' and '.join(map(repr, names))} differ in capitals alone; expected one spelling")
        for names in alike.values()
        if len(names) > 1
    ]
    if len(counts) > max(MANY_CLASSES, sum(counts.values()) / 2):
        faults.append(
            (
                None,
                f"label has {len(counts):,} different values on {sum(counts.values()):,} rows; expected a few classes, "
                "or numbers. Check that it is the right column",
            )
        )
    return Labels("classification", classes, [index.get(cell) for cell in cells], faults)
