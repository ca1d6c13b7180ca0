"""Memory of reading features and training a stack for some batches, in a process of its own.

`python -m benchmarks.one_chunk FEATURES CELLS BATCHES`. Its last line is the two peaks in MiB, as JSON.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.flops import Enough
from benchmarks.synthetic import Size, cells, settings
from trml.device import set_up
from trml.features.contract import read_features
from trml.training.data import load_data
from trml.training.stack_run import StackRun

EVERY_S = 0.002


@contextmanager
def peak(into: dict[str, float], name: str) -> Iterator[None]:
    """Write the most anonymous memory (MiB) that the process had while the block ran."""
    stop, most = threading.Event(), [_anonymous_mib()]

    def watch() -> None:
        while not stop.wait(EVERY_S):
            most.append(max(most.pop(), _anonymous_mib()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
        into[name] = most[0]


def _anonymous_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no RssAnon; this part needs Linux")


def main(folder: Path, count: int, batches: int) -> None:
    """Read, train, stop after so many batches, and print."""
    device = set_up("cpu", 1)
    size = Size(**json.loads((folder / "size.json").read_text()))
    peaks = {"imports": _anonymous_mib()}
    with peak(peaks, "reading"):
        features = read_features(folder)
    with peak(peaks, "training"):
        data = load_data(features, device, torch.float32)
        _train(StackRun(cells("trml", size, count), data, settings(size, epochs=2)), batches)
    print(json.dumps(peaks))


def _train(run: StackRun, batches: int) -> None:
    left = batches

    def pause() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Enough

    try:
        for _ in run.train(pause):
            pass
    except Enough:
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
