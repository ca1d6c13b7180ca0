"""Remember the checksums of raw files, so that large files are hashed once."""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from trml.base.artifacts import write_json
from trml.base.digests import file_digest
from trml.base.files import not_a_file
from trml.base.progress import track

_SHA256 = re.compile(r"[0-9a-f]{64}")


def known_digests(paths: Sequence[Path], memory: Path) -> list[str]:
    """Return the sha256 of each file, in order.

    Args:
        paths: The files.
        memory: A JSON cache of checksums. A file is hashed only if its size, times (the time of change cannot be
            set back) or inode have changed since, and the cache is then rewritten.
    """
    known, states, changed = _compared(paths, memory)
    if changed:
        with ThreadPoolExecutor() as pool:  # hashing releases the interpreter lock
            checksums = pool.map(file_digest, map(Path, changed))
            hashed = track(zip(changed, checksums, strict=True), len(changed), "raw files hashed")
            known |= {name: [*states[name], checksum] for name, checksum in hashed}
        write_json(memory, known)
    return [known[str(path.resolve())][-1] for path in paths]


def are_remembered(paths: Sequence[Path], memory: Path) -> bool:
    """Return whether the cache has the checksums of all files as they are, so that none would be read."""
    return not _compared(paths, memory)[2]


def _compared(paths: Sequence[Path], memory: Path) -> tuple[dict[str, Any], dict[str, list[int]], list[str]]:
    """Return the entries of the cache, the files' states now, and the names of those that have none or another."""
    known, states = {name: entry for name, entry in recall(memory).items() if _is_entry(entry)}, {}
    for path in paths:
        stat = path.stat()
        states[str(path.resolve())] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    return known, states, [name for name, state in states.items() if name not in known or known[name][:-1] != state]


def _is_entry(entry: Any) -> bool:
    """Return whether an entry of the cache is as `known_digests` writes it: four numbers, then a sha256."""
    if not isinstance(entry, list) or len(entry) != 5:
        return False
    *state, checksum = entry
    return all(type(number) is int for number in state) and bool(_SHA256.fullmatch(str(checksum)))


def recall(memory: Path) -> dict[str, Any]:
    """Return a JSON cache, empty if it is absent, damaged or no file: all of it can be computed again."""
    if not_a_file(memory) is not None:  # a pipe would wait for ever
        return {}
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}
