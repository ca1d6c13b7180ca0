"""One process at a time: a lock on a file, which the system takes back when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trml.base.progress import say


@contextmanager
def alone(path: Path, waiting: str = "") -> Iterator[None]:
    """A block that one process at a time runs for this path; the others wait, and say `waiting`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.busy")
    handle = _acquire(lock, waiting)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        handle.close()


def _acquire(lock: Path, waiting: str) -> IO[str]:
    while True:
        handle = lock.open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        if lock.exists() and os.path.samestat(lock.stat(), os.fstat(handle.fileno())):
            return handle
        handle.close()  # the last holder took the file away while we waited for it
