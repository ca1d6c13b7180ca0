"""The memory of a training process over the size of the corpus.

2,000, 20,000 and 200,000 utterances, 8 frames of 512 numbers each, on disk and memory-mapped (200,000 are 3.7 GB),
hidden size 128, 16 cells as one stack.

Each size is read and trained on in a fresh process, for 20 batches of 64; what an epoch prepares for its whole length
(orders, draws, masks) is prepared for all utterances. Peaks are of the anonymous memory of the process (RssAnon of
/proc/self/status, looked at every 2 ms by a thread), which leaves out the pages of the mapped files: those the system
takes back when it needs them. "imports" is what there is before anything is read, "reading" the check of the whole
feature folder, "training" all that follows up to the last of the batches; the prediction that ends an epoch is not
reached. The bound is the growth from the smallest to the largest.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import child
from benchmarks.row import Found, Note, Row
from benchmarks.synthetic import Size, write_features
from trml.base.artifacts import write_json
from trml.base.progress import say

UTTERANCES, CELLS, BATCHES = (2_000, 20_000, 200_000), 16, 20
LARGE, FREE_BYTES = 100_000, 6e9
PHASES = ("reading", "training")


def measure(quick: bool) -> Iterator[Found]:
    """Each number of utterances, and how much more the last takes than the first."""
    peaks: dict[int, dict[str, float]] = {}
    for n in UTTERANCES[:2] if quick else UTTERANCES:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if n >= LARGE and free < FREE_BYTES:
            yield Note(
                f"{n:,} utterances were not measured: {tempfile.gettempdir()} has {free / 1e9:.1f} GB free; "
                f"expected {FREE_BYTES / 1e9:.0f}. Set TMPDIR to a folder that has them"
            )
            continue
        say(f"  {n:,} utterances")
        peaks[n] = _peaks(n)
        for phase, mib in peaks[n].items():
            yield Row(f"{n:,} utterances", phase, mib, "MiB")
    low, high = min(peaks), max(peaks)
    for phase in PHASES if low < high else ():
        yield Row(f"growth from {low:,} to {high:,}", phase, peaks[high][phase] - peaks[low][phase], "MiB")


def _peaks(n: int) -> dict[str, float]:
    held = n // 10
    size = Size("memory", 512, 128, 64, (n - 2 * held, held, held))
    with tempfile.TemporaryDirectory() as temporary:
        folder = write_features(Path(temporary) / "features", size)
        write_json(folder / "size.json", size._asdict())
        ended = child.python("-m", "benchmarks.one_chunk", str(folder), str(CELLS), str(BATCHES))
    return json.loads(ended.output.splitlines()[-1])
