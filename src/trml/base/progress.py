"""Report progress as plain lines on stderr, readable in a terminal and in a log file."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from trml.base.printable import printable

T = TypeVar("T")

EVERY_S = 5.0


def say(message: str) -> None:
    """Print one line to the user."""
    print(printable(message), file=sys.stderr, flush=True)


class Meter:
    """The progress of one task, printed at most every EVERY_S seconds with an estimate of the time left.

    Args:
        what: The task, as in `utterances encoded`.
        total: The amount of work.
        before: The amount done before the meter started, which the estimate leaves out.
    """

    def __init__(self, what: str, total: int, before: float = 0.0) -> None:
        self.what, self.total, self.before = what, total, before
        self.start = self.last = time.monotonic()

    def update(self, done: float) -> None:
        """Take note of the amount done so far."""
        now = time.monotonic()
        if now - self.last >= EVERY_S and self.before < done < self.total:
            self.last = now
            rest = (now - self.start) / (done - self.before) * (self.total - done)
            say(f"{self.what}: {done:.0f}/{self.total}, about {rest:.0f} s to go")

    def end(self) -> None:
        """Print that the task is done, and its time."""
        say(f"{self.what}: {self.total}/{self.total} in {time.monotonic() - self.start:.1f} s")


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Iterate over `total` items with a progress line."""
    meter = Meter(what, total)
    for done, item in enumerate(items, 1):
        yield item
        meter.update(done)
    meter.end()
