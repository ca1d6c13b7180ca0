"""Try a file in a process that the system holds to the budget, before this process reads it.

For libraries that allocate on their own, or are written in C and may crash on a crafted file: polars' reader of
parquet, HDF5, and FFmpeg's readers of containers. What a file does to its reader, it does in a process that has nothing
to lose: it may write no file, and takes no more memory than is granted here. The process is started once and tries one
file after another. It ends with its parent, and the system ends it if a file takes too long.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from trml.base.errors import ContractError, TrmlError

MEMORY = 1 << 29  # bytes that reading a file may take, however small it is
MEMORY_A_BYTE = 10  # and for each byte of it: plain lists of numbers take some eight times their pickle

_PATIENCE_S, _SLOWEST = 120, 1 << 20  # seconds to read any file, and bytes a second beyond that

_GRACE_S = 5  # that the parent has to end the process, which knows the file, before the system does

_ROOT = Path(__file__).parents[2]  # where this package is imported from

_lock = Lock()
_helpers: dict[int, Any] = {}  # by process: a forked one must not share its parent's


def memory_for(path: Path) -> int:
    """Return the bytes of memory that reading a file may take."""
    return MEMORY + MEMORY_A_BYTE * path.stat().st_size


def try_first(path: Path, reader: str) -> None:
    """Have a file read in the confined process, and what was read thrown away.

    Args:
        path: The file.
        reader: The module whose `attempt` reads it.

    Raises:
        ContractError: If its reader refuses it, needs more memory than the budget, does not end, or crashes.
    """
    memory, patience = memory_for(path), _PATIENCE_S + path.stat().st_size // _SLOWEST
    with _lock:
        helper = _helper()
        request = {"reader": reader, "path": os.fspath(path.absolute()), "memory": memory, "patience": patience}
        helper.stdin.write(json.dumps(request).encode() + b"\n")
        helper.stdin.flush()
        ready, _, _ = select.select([helper.stdout], [], [], patience)
        answer = helper.stdout.readline() if ready else b""
        if answer:
            reply: dict[str, Any] = json.loads(answer)
        else:
            helper.kill()
            code = helper.wait()
            del _helpers[os.getpid()]
            ended = f"was ended by {signal.Signals(-code).name}" if code < 0 and ready else "ended"
            why = f"its reader {ended}" if ready else "its reader came to no end"
            reply = {"fault": f"{path} cannot be read in {memory >> 20} MB of memory: {why}. It is damaged or hostile"}
    if reply["fault"] is not None:
        raise ContractError(reply["fault"].replace(request["path"], str(path)))


def _helper() -> Any:
    """Return the confined process, started if there is none."""
    helper = _helpers.get(os.getpid())
    if helper is None or helper.poll() is not None:
        # An entry that is empty or relative is the folder this runs in, or one in it, whose files may be anybody's.
        named = filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        path = os.pathsep.join([str(_ROOT), *named])
        helper = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {__name__} import serve; serve({os.getpid()})"],  # -P: not from here
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "POLARS_MAX_THREADS": "1"},
            start_new_session=True,
        )
        _helpers[os.getpid()] = helper
    return helper


def serve(parent: int) -> None:
    """Try the files that are named on stdin, a request a line, and answer on stdout. This is the confined process.

    Args:
        parent: The process that it ends with.
    """
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever it is in; a parent may have it ignored
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(limit, (0, 0))
    for line in sys.stdin.buffer:
        request = json.loads(line)
        attempt = import_module(request["reader"]).attempt
        signal.alarm(request["patience"] + _GRACE_S)
        fault = _fault(attempt, Path(request["path"]), request["memory"])
        signal.alarm(0)
        answers.write(json.dumps({"fault": fault}).encode() + b"\n")
        answers.flush()


def _end_with(parent: int) -> None:
    """End this process soon after its parent. The end of stdin would be seen between two files alone.

    PR_SET_PDEATHSIG would do it too early: with the thread that started this process.
    """
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _fault(attempt: Callable[[Path], object], path: Path, memory: int) -> str | None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (_allocated() + memory, hard))
        attempt(path)
    except TrmlError as error:
        return str(error)
    except MemoryError:
        return f"{path} cannot be read in {memory >> 20} MB of memory. It is damaged or hostile"
    except BaseException as error:  # a panic of polars is no Exception
        reason = (str(error).splitlines() or [""])[0]
        return f"{path} cannot be read ({type(error).__name__}: {reason})"
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY if hard < 0 else hard, hard))
    return None


def _allocated() -> int:
    """Return the bytes that count towards the limit already: those of the interpreter and its libraries."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # not on this system
        return 1 << 28
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
