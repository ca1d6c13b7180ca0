"""The lines of a run on stderr: one a stage, rewritten in place on a terminal, one a minute elsewhere."""

import sys
import time
from collections.abc import Callable

from trml.cli.output import clock, is_live, left
from trml.planning.progress import TRAINING, Progress, Stage

EVERY_S = 60.0  # between two lines of a stage, where lines cannot be rewritten
_ERASE = "\r\x1b[K"
_WIDTH = 12
_COUNTS = 32


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
        self._shown = ""  # the stage of the last line
        self._line = ""

    def show(self, progress: Progress) -> None:
        """Show how far a run is: a line for every stage that has ended since, and one for what is at work.

        Of stages that are at work at the same time, as encoders of further corpora beside the first trainings, the one
        with the most left to do is shown.
        """
        if self._before is None:
            self._before = {stage.stage for stage in progress.stages if stage.done == stage.total}
        unfinished = [stage for stage in progress.stages if stage.done < stage.total]
        for stage in progress.stages:
            if unfinished and stage is unfinished[0]:
                break
            if stage.stage not in self._ended:
                self._end(stage)
        working = [stage for stage in unfinished if stage.running]
        for stage in unfinished[:1] + working:
            self._begun.setdefault(stage.stage, self._now())
        if unfinished:
            self._current(max(working or unfinished[:1], key=lambda stage: stage.left + stage.running))

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
        self.say(f"  {stage.stage:<{_WIDTH}}{f'{stage.done:,} of {stage.total:,}':<{_COUNTS}}{took}")
        self._last = -EVERY_S

    def _current(self, stage: Stage) -> None:
        failed = f", {stage.failed:,} failed" if stage.failed else ""
        # A training counts when its stack has ended, which may take minutes.
        running = f", {stage.running:,} in training" if stage.stage == TRAINING and stage.running else ""
        counts = f"{stage.done:,} of {stage.total:,}{running}{failed}"
        line = f"  {stage.stage:<{_WIDTH}}{counts:<{_COUNTS}}{left(stage.seconds_left)}".rstrip()
        if self._live:
            self._line = line
            sys.stderr.write(f"{_ERASE}{line}")
            sys.stderr.flush()
        elif stage.stage != self._shown or self._now() - self._last >= EVERY_S:
            self._last, self._shown = self._now(), stage.stage
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
