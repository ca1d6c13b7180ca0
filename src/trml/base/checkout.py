"""Know which checkout a process runs the source of, refuse another one's in a job, and find the project's files."""

import os
import sys
from pathlib import Path

from trml.base.errors import TrmlError

SOURCE = "TRML_SOURCE"  # the Snakefile's environment variable: the folder of the package in its checkout
_USUAL = Path("config")


def package_folder() -> Path:
    """Return the folder that the package is in: src/ of a checkout, or site-packages."""
    return Path(__file__).parents[2]


def project() -> Path:
    """Return the folder of Snakefile, config/ and workflow/: the checkout, or a wheel's copy of them (setup.py)."""
    shipped = package_folder() / "trml" / "project"
    return shipped if shipped.is_dir() else package_folder().parent


def config_folder(asked: Path = _USUAL) -> Path:
    """Return the folder of configurations: the one asked for or, where the usual one is absent, that of a wheel."""
    shipped = package_folder() / "trml" / "project" / "config"
    return shipped if asked == _USUAL and not asked.is_dir() and shipped.is_dir() else asked


def refuse_other_source() -> None:
    """Compare the source that this process runs with the Snakefile's.

    Results are named by a digest of the source that planned them, so a job must not compute with another's.

    Raises:
        TrmlError: if Snakemake started this process, and its environment has the trml of another checkout.
    """
    planned, runs = os.environ.get(SOURCE), package_folder()
    if planned and Path(planned).resolve() != runs.resolve():
        raise TrmlError(
            f"the environment {sys.prefix} has the trml of {runs}; expected that of the Snakefile, {planned}. "
            f"Install it with: {sys.executable} -m pip install --no-deps --editable {Path(planned).parent}"
        )
