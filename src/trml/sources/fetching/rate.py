"""How fast a file comes: said every few seconds, and too slow below a floor."""

import time
from dataclasses import dataclass

from trml.base.progress import EVERY_S, say


@dataclass(frozen=True)
class Patience:
    """How long is waited for a server, and what is too little of it.

    connect_s, read_s: seconds until it answers, and between two of its bytes. attempts: requests in a row that brought
    less than `step` new bytes. wait_s, longest_s: seconds before the first new attempt, then twice as many each time,
    to the longest. floor: bytes a second over window_s seconds. reserve: bytes of the disk that stay free.
    """

    connect_s: float = 15.0
    read_s: float = 60.0
    attempts: int = 6
    step: int = 1 << 20
    wait_s: float = 1.0
    longest_s: float = 120.0
    window_s: float = 30.0
    floor: float = 4000.0
    reserve: int = 1 << 30


class Pace:
    """Watches the bytes of one answer. `there`: those that came before it."""

    def __init__(self, name: str, there: int, total: int | None, patience: Patience) -> None:
        self.name, self.there, self.total, self.patience = name, there, total, patience
        self.start = self.said = self.window = time.monotonic()
        self.window_done = there

    def update(self, done: int) -> str | None:
        """So many bytes are there now; what is too slow about it, if anything."""
        now = time.monotonic()
        if now - self.said >= EVERY_S:
            self.said = now
            say(self._line(done, (done - self.there) / (now - self.start)))
        if now - self.window < self.patience.window_s:
            return None
        rate = (done - self.window_done) / (now - self.window)
        self.window, self.window_done = now, done
        return f"sends {bytes_in_words(rate)} a second; that is too slow" if rate < self.patience.floor else None

    def _line(self, done: int, rate: float) -> str:
        if self.total is None:
            return f"{self.name}: {bytes_in_words(done)}, {bytes_in_words(rate)}/s"
        rest = f", about {time_in_words((self.total - done) / rate)} to go" if rate > 0 else ""
        return f"{self.name}: {bytes_in_words(done)} of {bytes_in_words(self.total)}, {bytes_in_words(rate)}/s{rest}"


def bytes_in_words(count: float) -> str:
    """1234567 -> 1.2 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def time_in_words(seconds: float) -> str:
    """500 -> 8 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
