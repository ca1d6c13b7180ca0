"""A plan of 100,000 cells: what planning, Snakemake and the store cost at that size.

The experiment `stress` with 251 seeds, in a temporary folder, in blocks of 45 cells. The store is filled as in the part
`workflow`: with made-up predictions of eight utterances and empty checkpoints, so files are many and small. Processor
seconds, since the first two figures are of one thread: "one job" is what each job of a cluster spends on reading the
Snakefile. Reading takes every cell of one of the three datasets from the store, as evaluation does. The first run
verifies every checksum, the second finds all as it was.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import child
from benchmarks.row import Row
from benchmarks.synthetic_work import fill
from benchmarks.workflow import NOTHING, configure, snakemake
from trml.planning.plan import Plan
from trml.training.store import read_cell, shards

CELLS, QUICK = 100_000, 1000
_JOB = "from trml.planning.workflow import Workflow; Workflow('params.yaml', is_main=False).wildcards()"


def measure(quick: bool) -> Iterator[Row]:
    """One configuration, before anything is made and when everything is there."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        datasets = configure(folder, QUICK if quick else CELLS)
        case = f"{sum(len(plan.cells) for plan in datasets):,} cells"
        yield from _row(case, "trml plan", child.python("-m", "trml", "plan", folder=folder))
        yield from _row(case, "dry run", snakemake(folder, "--dry-run"))
        yield from _row(case, "one job reads the Snakefile", child.python("-c", _JOB, folder=folder))
        for plan in datasets:
            fill(plan, folder)
        for name in ("first run that does nothing", "second run that does nothing"):
            ended = snakemake(folder)
            if NOTHING not in ended.output:
                raise RuntimeError(f"a run with everything made did something:\n{ended.output[-3000:]}")
            yield from _row(case, name, ended)
        yield from _store(case, datasets[0])


def _row(case: str, name: str, ended: child.Ended) -> Iterator[Row]:
    yield Row(case, name, ended.cpu_s, "s")
    yield Row(case, f"{name}, peak memory", ended.peak_mib, "MiB")


def _store(case: str, plan: Plan) -> Iterator[Row]:
    start = time.process_time()
    for cell in plan.cells:
        read_cell(cell)
    yield Row(case, "reading a cell", 1000 * (time.process_time() - start) / len(plan.cells), "ms")
    folders = shards(plan.cell_store)
    files = sum(len(list(folder.iterdir())) for folder in folders)
    yield Row(case, "files of a block in the store", files / len(plan.blocks), "")
