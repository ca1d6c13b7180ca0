"""Chunks that are left before their end: saved every few minutes and when the process is asked to stop.

A saved chunk is one file, put in place atomically and sealed with its own checksum: a kill at any moment loses at most
what came after the last save, and a damaged file is named and not gone on from.
"""

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save
from torch import Tensor

from trml.base.artifacts import write_bytes
from trml.base.errors import Interrupted
from trml.base.progress import say
from trml.training.stack_run import Chunk

SAVE_EVERY_S = 10.0  # a save takes a tenth of a second or two


class Saved(NamedTuple):
    """A saved chunk: where, the digests of its cells in order, and its state."""

    path: Path
    cells: list[str]
    tensors: dict[str, Tensor]
    rest: dict[str, Any]


class Unfinished:
    """The saved chunks of one block, in a folder of their own. `stopping` tells if the process was asked to stop."""

    def __init__(self, folder: Path, stopping: Callable[[], bool] = lambda: False) -> None:
        self.folder, self.stopping, self.last = folder, stopping, time.monotonic()

    def watch(self, chunk: Chunk, path: Path) -> None:
        """Save the chunk if it is time to. Raises Interrupted, after saving it, where the process is to stop."""
        stop = self.stopping()
        if stop or time.monotonic() - self.last > SAVE_EVERY_S:
            tensors, rest = chunk.state()
            head = json.dumps({"cells": [cell.digest for cell in chunk.cells], "rest": rest}).encode()
            sealed = head + b"\n" + save({name: value.cpu().contiguous() for name, value in tensors.items()})
            write_bytes(path, hashlib.sha256(sealed).hexdigest().encode() + b"\n" + sealed)
            self.last = time.monotonic()
        if stop:
            raise Interrupted(
                f"stopped; finished cells are kept, {len(chunk.cells)} in training are saved at epoch {chunk.epoch}. "
                "Go on with: snakemake --cores all"
            )

    def saved(self) -> Iterator[Saved]:
        """What can be gone on from; a damaged file is named and removed."""
        for path in sorted(self.folder.glob("*.chunk")):
            checksum, _, sealed = path.read_bytes().partition(b"\n")
            if hashlib.sha256(sealed).hexdigest().encode() != checksum:
                say(f"{path} is damaged (its checksum differs): these cells are trained from the start")
                path.unlink()
                continue
            head, _, tensors = sealed.partition(b"\n")
            about = json.loads(head)
            yield Saved(path, about["cells"], load(tensors), about["rest"])

    def clear(self, path: Path) -> None:
        """Remove a chunk that is at its end, and the folder with the last of them."""
        path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM came since; the second one ends the process at once."""
    came: list[int] = []
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: Any) -> None:
        came.append(number)
        restore()

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, handle)
    try:
        yield lambda: bool(came)
    finally:
        restore()
