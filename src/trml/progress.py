"""Progress for anything longer than a few seconds: plain lines on stderr, which a log file can hold too."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def say(message: str) -> None:
    """One line to the user."""
    print(message, file=sys.stderr, flush=True)


def track(items: Iterable[T], total: int, what: str, every_s: float = 5.0) -> Iterator[T]:
    """Yield the items, saying at most every `every_s` seconds how many are done and how long the rest takes."""
    start = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - last >= every_s and done < total:
            last = now
            say(f"{what}: {done}/{total}, about {(now - start) / done * (total - done):.0f} s to go")
    say(f"{what}: {total}/{total} in {time.monotonic() - start:.1f} s")
