"""The lines of a run on stderr: one a stage, rewritten in place on a terminal, one a minute elsewhere."""

import sys
import time
from collections.abc import Callable

from trml.cli.output import clock, is_live, left
from trml.planning.progress import Progress, Stage

EVERY_S = 60.0  # between two lines of a stage, where lines cannot be rewritten
_ERASE = "\r\x1b[K"
_WIDTH = 12


class Display:
    """What is shown of a run.

    Args:
        clock: The time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._live = now, is_live(sys.stderr)
        self._since = now()  # when the last stage ended
        self._before: set[str] | None = None  # what was done before the run
        self._begun: dict[str, float] = {}
        self._ended: set[str] = set()
        self._last = -EVERY_S
        self._line = ""

    def show(self, progress: Progress) -> None:
        """Show how far a run is: a line for every stage that has ended since, and one for the first that has not."""
        if self._before is None:
            self._before = {stage.stage for stage in progress.stages if stage.done == stage.total}
        for stage in progress.stages:
            if stage.stage in self._ended:
                continue
            if stage.done < stage.total:
                is_new = stage.stage not in self._begun
                self._begun.setdefault(stage.stage, self._now())
                self._current(stage, is_new=is_new)
                return
            self._end(stage)

    def say(self, line: str) -> None:
        """Print a line above the one that is rewritten."""
        erase = _ERASE if self._live and self._line else ""
        sys.stderr.write(f"{erase}{line}\n{self._line if self._live else ''}")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line that is rewritten."""
        if self._live and self._line:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()
        self._line = ""

    def _end(self, stage: Stage) -> None:
        self._ended.add(stage.stage)
        was_done = self._before is not None and stage.stage in self._before
        took = "done before" if was_done else clock(self._now() - self._begun.get(stage.stage, self._since))
        self._since = self._now()
        self._line = ""
        self.say(f"  {stage.stage:<{_WIDTH}}{f'{stage.done:,} of {stage.total:,}':<18}{took}")
        self._last = -EVERY_S

    def _current(self, stage: Stage, *, is_new: bool) -> None:
        failed = f", {stage.failed:,} failed" if stage.failed else ""
        counts = f"{stage.done:,} of {stage.total:,}{failed}"
        line = f"  {stage.stage:<{_WIDTH}}{counts:<18}{left(stage.seconds_left)}".rstrip()
        if self._live:
            self._line = line
            sys.stderr.write(f"{_ERASE}{line}")
            sys.stderr.flush()
        elif is_new or self._now() - self._last >= EVERY_S:
            self._last = self._now()
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
