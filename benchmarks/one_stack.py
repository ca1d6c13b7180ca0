"""One stack of trainings in a process of its own: `python -m benchmarks.one_stack FEATURES JOB`, the job as JSON."""

import json
import sys
from pathlib import Path

from benchmarks.synthetic import as_cell
from trml.device import set_up
from trml.features.contract import read_features
from trml.training.contract import CellSpec, Settings
from trml.training.trainer import train


def main(features: str, job: str) -> None:
    """Train the cells that the job describes with its settings."""
    device = set_up("cpu", 1)
    read = json.loads(job)
    cells = [as_cell(CellSpec(**spec)) for spec in read["specs"]]
    train(cells, read_features(Path(features)), Settings(**read["settings"]), device, lambda left: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
