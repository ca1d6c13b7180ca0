"""Names of modalities: their order, and how a set of them is written (`text+vision`)."""

from collections.abc import Iterable, Sequence
from itertools import combinations

ORDER = ("text", "vision", "audio")  # in which modalities are listed and built; others follow by name


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names once each, in the project's order of modalities."""
    return tuple(sorted(set(names), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)))


def written(present: Iterable[str]) -> str:
    """Return a set of modalities as one word: `text+vision`."""
    return "+".join(in_order(present))


def read(word: str) -> frozenset[str]:
    """Return the set of modalities that `written` made a word of."""
    return frozenset(word.split("+"))


def subsets(modalities: Sequence[str]) -> list[frozenset[str]]:
    """Return every non-empty subset, the largest first: all that can be left of an utterance."""
    names = in_order(modalities)
    return [frozenset(s) for size in range(len(names), 0, -1) for s in combinations(names, size)]
