"""Let one process at a time into a block. The system releases the lock if its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trml.base.progress import say


@contextmanager
def alone(path: Path, waiting: str = "") -> Iterator[None]:
    """Hold the lock of a path for the length of a block.

    Args:
        path: What is locked. The lock itself is a hidden file beside it.
        waiting: Printed if another process holds the lock.
    """
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
        handle.close()  # the last holder removed the file while this process waited
