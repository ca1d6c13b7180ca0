"""One training in a process of its own: `python -m benchmarks.one_cell FEATURES JOB`, the job as JSON."""

import json
import sys
from pathlib import Path

import torch

from benchmarks.synthetic import as_cell
from trml.device import set_up
from trml.features.contract import read_features
from trml.training.contract import CellSpec, Settings
from trml.training.reference import train_one


def main(features: str, job: str) -> None:
    """Train the cell that the job describes with its settings."""
    set_up("cpu", 1)
    read = json.loads(job)
    cell, settings = as_cell(CellSpec(**read["spec"])), Settings(**read["settings"])
    train_one(cell, read_features(Path(features)), settings, dtype=torch.float32)


if __name__ == "__main__":
    main(*sys.argv[1:])
