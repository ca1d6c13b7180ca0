"""Print the rate of a download every few seconds, and reject a server below a minimum rate."""

import time
from dataclasses import dataclass

from trml.base.progress import say

EVERY_S = 5.0  # between two lines of progress


@dataclass(frozen=True)
class Patience:
    """Timeouts and limits of a download.

    Attributes:
        connect_s: Seconds until a server must answer.
        read_s: Seconds between two of its bytes.
        attempts: Requests in a row that may bring less than `step` new bytes.
        step: In bytes.
        wait_s: Seconds before the first new attempt; they double with each one.
        longest_s: Seconds before a new attempt, at most.
        window_s: Seconds over which the rate is measured.
        floor: The minimum rate, in bytes a second.
        reserve: Bytes of the disk that stay free.
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
    """The rate of one response.

    Args:
        name: What messages call the file.
        before: Bytes received before this response.
        total: Bytes of the file, None if unknown.
        patience: The limits.
    """

    def __init__(self, name: str, before: int, total: int | None, patience: Patience) -> None:
        self.name, self.before, self.total, self.patience = name, before, total, patience
        self.start = self.said = self.window = time.monotonic()
        self.window_done = before

    def update(self, done: int) -> str | None:
        """Take note of the bytes received so far; return why the server is too slow, None if it is not."""
        now = time.monotonic()
        if now - self.said >= EVERY_S:
            self.said = now
            say(self._line(done, (done - self.before) / (now - self.start)))
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
    """Return a size in words: 1.2 MB for 1234567."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def time_in_words(seconds: float) -> str:
    """Return a duration in words: 8 min for 500."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
