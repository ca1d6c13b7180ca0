"""Starts a command and writes what it took: `python launch.py REPORT COMMAND...`.

That is its exit code, seconds, peak memory in MiB and processor seconds.

A process of its own, and a small one: Linux counts the memory of whoever forks a process into the peak of that
process, so started from a process with torch in it every command would seem to need what torch needs.
"""

import json
import os
import sys
import time
from pathlib import Path


def main(report: str, command: list[str]) -> None:
    """Run the command to its end; its peak is that of its largest process."""
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    ended = [os.waitstatus_to_exitcode(status), time.perf_counter() - start, usage.ru_maxrss / 1024]
    ended.append(usage.ru_utime + usage.ru_stime)
    Path(report).write_text(json.dumps(ended))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
