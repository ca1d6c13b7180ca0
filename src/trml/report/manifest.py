"""manifest.json: origin and versions of the results, and the checksum of every file."""

import platform
import subprocess
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trml import __version__
from trml.base.checkout import project
from trml.base.digests import file_digest, versions
from trml.report.dataset import Dataset
from trml.report.provenance import content, machine
from trml.report.quality import faults

# All that decide a number or a picture, and what runs them.
_PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "transformers",
    "tokenizers",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "polars",
    "av",
    "pillow",
    "h5py",
    "matplotlib",
    "jinja2",
    "pydantic",
    "snakemake",
    "dvc",
)


def manifest(data: Dataset) -> dict[str, Any]:
    """Return manifest.json without its list of files."""
    inputs = data.inputs
    status = _git("status", "--porcelain", "--untracked-files=no", "--", ":!results")
    changed = None if status is None else [line[3:] for line in status.splitlines()]
    further = {other.study.dataset: dict(other.inputs.made_from) for other in data.others}
    return {
        "experiment": data.inputs.name,
        "digest": inputs.digest,
        "command": inputs.command,
        "changes": {"of": inputs.experiment, **{key: list(each) for key, each in inputs.moved.items()}},
        "made_from": {**inputs.made_from, "further": further},
        "git_commit": _git("rev-parse", "HEAD"),
        "git_clean": changed == [],
        "git_changed": changed,
        "versions": {"trml": __version__, "python": platform.python_version(), **versions(*_PACKAGES)},
        "content": {
            **content(data),
            "further": {other.study.dataset: content(other) for other in data.others},
        },
        "run": str(uuid.uuid4()),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(data.cells),
        "quality": [fault._asdict() for fault in faults(data)],
        "failed_cells": {cell["digest"]: cell["failed"] for cell in data.cells if cell["failed"]},
        "training_wall_s": round(sum(cell["wall_s"] for cell in data.cells), 1),
    }


def checksums(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file below a folder, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): file_digest(path) for path in files}


def _git(*arguments: str) -> str | None:
    there = project() if (project() / ".git").exists() else None  # a run in another folder is of this source too
    try:
        done = subprocess.run(["git", *arguments], cwd=there, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip()
