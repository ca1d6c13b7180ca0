"""Know which checkout a process runs the source of, and refuse another one's in a job."""

import os
import sys
from pathlib import Path

from trml.base.errors import TrmlError

SOURCE = "TRML_SOURCE"  # the Snakefile's environment variable: the folder of the package in its checkout


def refuse_other_source() -> None:
    """Compare the source that this process runs with the Snakefile's.

    Results are named by a digest of the source that planned them, so a job must not compute with another's.

    Raises:
        TrmlError: if Snakemake started this process, and its environment has the trml of another checkout.
    """
    planned, runs = os.environ.get(SOURCE), Path(__file__).parents[2]
    if planned and Path(planned).resolve() != runs.resolve():
        raise TrmlError(
            f"the environment {sys.prefix} has the trml of {runs}; expected that of the Snakefile, {planned}. "
            f"Install it with: {sys.executable} -m pip install --no-deps --editable {Path(planned).parent}"
        )
