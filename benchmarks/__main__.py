"""The command: run the parts and write what they found."""

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.results import Results
from trml.base.progress import say

PARTS = {
    "cells": "trainings a minute: stacked, in a loop, one process each",
    "mm_align": "seconds of MM-Align at the sizes of CMU-MOSI and MVSA-Single, against its published program",
    "matmul": "share of the machine's matrix-product rate that a training step reaches",
    "startup": "how long each verb takes until it starts to work",
    "encode": "frames a second from video files, against the model alone",
    "segments": "utterances a second from parts of long videos, against decoding every frame",
    "encode_memory": "memory of encoding over the size of the corpus",
    "workflow": "time and memory of Snakemake over many cells",
    "scale": "time and memory of planning and of the store with 100,000 cells",
    "memory": "memory of training over the size of the corpus",
    "page": "how soon the report page can be used",
    "statistics": "how often tests of a difference err, by simulation",
    "gpu": "trainings a minute on a GPU, stacked and one by one",
}

EXAMPLES = """examples:
  python -m benchmarks                        every part, into benchmarks/results.md and results.csv
  python -m benchmarks --only cells matmul    two parts
  python -m benchmarks --quick                small sizes, shows only that it runs
  python -m benchmarks --output /tmp/bench    elsewhere

All figures of a results file come from one run. So a run of some parts only, or a quick one, goes to work/bench
unless --output is given, and benchmarks/ keeps the last whole run."""

WHOLE, PARTIAL = Path("benchmarks"), Path("work/bench")


def _parser() -> argparse.ArgumentParser:
    parts = "".join(f"\n  {name:13} {what}" for name, what in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\n\nparts:{parts}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help="these parts")
    parser.add_argument("--quick", action="store_true", help="small sizes; the figures mean nothing")
    parser.add_argument("--output", type=Path, metavar="DIR", help=f"folder to write to ({WHOLE}, or {PARTIAL})")
    return parser


def main() -> None:
    """Run the parts in order; results are written after each, so that a later failure loses none."""
    arguments = _parser().parse_args()
    whole = set(arguments.only) == set(PARTS) and not arguments.quick
    results = Results(arguments.output or (WHOLE if whole else PARTIAL), arguments.quick)
    for name in arguments.only:
        say(f"{name}: {PARTS[name]}")
        part = import_module(f"benchmarks.{name}")
        results.add(name, part.__doc__ or "", part.measure(arguments.quick))
        results.write()
    say(f"wrote {results.folder / 'results.md'} and {results.folder / 'results.csv'}")


main()
