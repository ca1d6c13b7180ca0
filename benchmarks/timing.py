"""Timing: competitors in turn, medians, ratios within a round."""

import time
from collections.abc import Callable, Mapping
from statistics import median

from trml.base.progress import say

Action = Callable[[], object]


def seconds(action: Action) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(actions: Mapping[str, Action], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each action in each round.

    Every other round goes backwards, so that a machine that gets faster or slower favours none.
    """
    found: dict[str, list[float]] = {name: [] for name in actions}
    for i in range(rounds):
        for name in list(actions)[:: -1 if i % 2 else 1]:
            found[name].append(seconds(actions[name]))
            say(f"  round {i + 1} of {rounds}, {name}: {found[name][-1]:.1f} s")
    return found


def ratio(above: list[float], below: list[float]) -> float:
    """Return the median over rounds of above / below."""
    return median(a / b for a, b in zip(above, below, strict=True))
