"""How much test data an experiment will have, before it is run."""

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from trml.base.artifacts import read_json
from trml.base.checksums import are_remembered
from trml.base.errors import TrmlError
from trml.config.params import Params
from trml.planning.compute import Compute, resolve_device
from trml.planning.naming import Naming
from trml.planning.plan import Plan


class Size(NamedTuple):
    """What is predicted, and how many test utterances there are, of how many videos, speakers or dialogues."""

    task: str
    groups: int
    utterances: int


def size_of_test(params: Params, work: Path = Path("work")) -> Size | None:
    """Return the size of a corpus that is generated, or was built by this very recipe; None of any other.

    No raw files are read, which may be many: where their checksums are not known, nor is the corpus.
    """
    config = params.corpus
    generated: Any = config
    if config.kind == "pantomime":
        return Size("regression", generated.speakers.test, generated.speakers.test * generated.utterances)
    built = _built(params, work)
    if built is None:
        return None
    table = pl.read_parquet(built / "utterances.parquet", columns=["video_id", "split"])
    test = table.filter(pl.col("split") == "test")
    return Size(read_json(built / "corpus.json")["task"], test["video_id"].n_unique(), test.height)


def _built(params: Params, work: Path) -> Path | None:
    """Return the folder of the corpus, None if it is not there."""
    compute = Compute(resolve_device(params.device), params.threads, params.portable)
    plan = Plan(params, compute, Naming(params.name, params.name, None, {}), work)  # no corpus is named after results
    try:
        if not plan.unfetched and are_remembered(plan.raw_files, work / "digests.json"):
            return plan.corpus if (plan.corpus / "corpus.json").is_file() else None
    except TrmlError:  # raw files are absent, or are no corpus: a run says so
        return None
    return None
