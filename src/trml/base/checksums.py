"""TODO docstring."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from trml.base.artifacts import write_json
from trml.base.digests import file_digest
from trml.base.progress import track


def known_digests(paths: Sequence[Path], memory: Path) -> list[str]:
    """The sha256 of each file, in order. Those of files whose size, time and place on the disk are as they were are
    taken from the file `memory`, which is written anew where others had to be read."""
    known, names, states = recall(memory), [str(path.resolve()) for path in paths], {}
    for name, path in zip(names, paths, strict=True):
        stat = path.stat()
        states[name] = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
    unread = [name for name, state in states.items() if known.get(name, [None])[:-1] != state]
    if unread:
        with ThreadPoolExecutor() as pool:  # hashing lets other threads run
            found = pool.map(file_digest, map(Path, unread))
            named = track(zip(unread, found, strict=True), len(unread), "raw files read")
            known |= {name: [*states[name], checksum] for name, checksum in named}
        write_json(memory, known)
    return [known[name][-1] for name in names]


def recall(memory: Path) -> dict[str, Any]:
    """What a file remembers; nothing where it is absent or damaged, since all of it can be found out again."""
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
