"""trml: a benchmark of sentiment models when text, vision or audio is missing.

The packages, from the lowest layer to the highest. A package imports only from those above it in this list, and from
another stage only its contract, config and registry (docs/architecture.md).

    base        tools without a domain: errors, digests, artifacts, progress
    device      what a process computes on with torch
    seeding     all randomness: a stream for each seed, purpose and key
    missing     modalities, missing patterns, and the masks that follow from them
    sources     raw files: fetching, and reading formats without trust
    corpora     raw files -> utterances
    features    utterances -> one array and one mask a modality
    methods     a batch -> a prediction and a loss
    training    cells -> predictions
    evaluation  predictions -> scores, probes and claims
    report      scores and claims -> tables, figures and the page
    config      the configuration: composed and checked
    planning    configuration -> every path of work/, and what each stage is handed
    api         what notebooks call: `trml.load`, `trml.experiment`, `trml.predictor`
    cli         the `trml` command
"""

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# By default MKL chooses a kernel by how a matrix lies in memory, so that a cell's bits would depend on its place in the
# stack. MKL reads the variable at its first call. It cost no time in our measurements.
os.environ.setdefault("MKL_CBWR", "AUTO")

_API = {"experiment": "trml.api.experiment", "load": "trml.api.result", "predictor": "trml.api.predictor"}


def __getattr__(name: str) -> Any:
    """Return a function of `trml.api`; its module is imported when it is first asked for, since that takes a while."""
    if name in _API:
        return getattr(import_module(_API[name]), name)
    raise AttributeError(f"module 'trml' has no attribute {name!r}")
