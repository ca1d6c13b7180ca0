"""Wall time and peak memory of Snakemake itself.

Configurations of about 150, 1,000 and 5,000 cells: a dry run with nothing made yet, and a run with everything made,
which does nothing.

The configurations are the experiment `stress` with fewer or more seeds, in a temporary folder. Nothing is trained: the
cells of the second run hold made-up predictions and an empty checkpoint each, and the other folders nothing but
the file that finishes them. Each time is the median of three; the run that does nothing comes after one unmeasured,
which reads every checksum in work/ once. Peak memory is that of the largest process.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import child
from benchmarks.row import Row
from benchmarks.synthetic import configuration
from benchmarks.synthetic_work import fill
from trml.base.progress import say
from trml.config.compose import compose
from trml.planning.plan import Plan, plans

CELLS, ROUNDS = (150, 1000, 5000), 3
EXPERIMENT = "stress"
NOTHING = "Nothing to be done"


def measure(quick: bool) -> Iterator[Row]:
    """Each number of cells."""
    for wanted in CELLS[:1] if quick else CELLS:
        with tempfile.TemporaryDirectory() as temporary:
            yield from _of_size(Path(temporary), wanted, 1 if quick else ROUNDS)


def _of_size(folder: Path, wanted: int, rounds: int) -> Iterator[Row]:
    datasets = configure(folder, wanted)
    case = f"{sum(len(plan.cells) for plan in datasets):,} cells"
    say(f"  {case}: dry runs")
    dry = [snakemake(folder, "--dry-run") for _ in range(rounds)]
    say(f"  {case}: filling the store")
    for plan in datasets:
        fill(plan, folder)
    first = snakemake(folder)
    idle = [snakemake(folder) for _ in range(rounds)]
    for run in (first, *idle):
        if NOTHING not in run.output:
            raise RuntimeError(f"a run with everything made did something:\n{run.output[-3000:]}")
    for name, runs in {"dry run": dry, "run that does nothing": idle}.items():
        yield Row(case, name, median(run.wall_s for run in runs), "s")
        yield Row(case, f"{name}, peak memory", median(run.peak_mib for run in runs), "MiB")


def configure(folder: Path, wanted: int) -> list[Plan]:
    """Put a configuration of about so many cells in force in the folder; return its plans."""
    one = sum(len(plan.cells) for plan in plans(configuration(*_overrides(1))))
    overrides = _overrides(max(1, round(wanted / one)))
    (folder / "params.yaml").write_text(compose(overrides, child.ROOT / "config"))
    return plans(configuration(*overrides), folder / "work", folder / "config")  # it has none, nor have the runs there


def _overrides(seeds: int) -> list[str]:
    return [f"experiment={EXPERIMENT}", f"protocol.seeds={list(range(2020, 2020 + seeds))}".replace(" ", "")]


def snakemake(folder: Path, *arguments: str) -> child.Ended:
    """Run the repository's Snakefile in a folder, on two cores."""
    snakefile = str(child.ROOT / "Snakefile")
    return child.python("-m", "snakemake", "--snakefile", snakefile, "--cores", "2", *arguments, folder=folder)
