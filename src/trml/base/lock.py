"""Let one process at a time into a block. The system releases the lock if its holder dies.

On NFS these locks hold between machines too. Some file systems of clusters have none; there nothing is locked.
Nothing that several jobs write depends on them: files and folders appear whole, and the same name has the same content.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trml.base.progress import say

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)  # what a file system says that has none


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
            if not try_lock(handle):
                if waiting:
                    say(waiting)
                fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return handle
        if lock.exists() and os.path.samestat(lock.stat(), os.fstat(handle.fileno())):
            return handle
        handle.close()  # the last holder removed the file while this process waited


def try_lock(handle: IO[str]) -> bool:
    """Lock an open file until it is closed; return False if another process has it.

    Raises:
        OSError: If the file system has no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
