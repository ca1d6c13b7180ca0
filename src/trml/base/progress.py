"""Progress for anything longer than a few seconds: plain lines on stderr, which a log file can hold too."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

EVERY_S = 5.0


def say(message: str) -> None:
    """One line to the user."""
    print(message, file=sys.stderr, flush=True)


class Meter:
    """Says at most every few seconds how much of a total is done and how long the rest takes.

    `there` is what was done before, which the estimate leaves out.
    """

    def __init__(self, what: str, total: int, there: float = 0.0) -> None:
        self.what, self.total, self.there = what, total, there
        self.start = self.last = time.monotonic()

    def update(self, done: float) -> None:
        """So much is done now."""
        now = time.monotonic()
        if now - self.last >= EVERY_S and self.there < done < self.total:
            self.last = now
            rest = (now - self.start) / (done - self.there) * (self.total - done)
            say(f"{self.what}: {done:.0f}/{self.total}, about {rest:.0f} s to go")

    def end(self) -> None:
        """All of it is done."""
        say(f"{self.what}: {self.total}/{self.total} in {time.monotonic() - self.start:.1f} s")


def track(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items and show how far they are."""
    meter = Meter(what, total)
    for done, item in enumerate(items, 1):
        yield item
        meter.update(done)
    meter.end()
