"""What a part finds: figures, and remarks on them."""

from typing import NamedTuple


class Row(NamedTuple):
    """One figure: `quantity` of `case`, in `unit` (empty for a number without one)."""

    case: str
    quantity: str
    value: float
    unit: str


class Note(NamedTuple):
    """A remark in words, such as why something was not measured."""

    text: str


Found = Row | Note
