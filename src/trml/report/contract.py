"""What the report is handed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trml.evaluation.contract import Searched, Study
from trml.training.contract import Settings


@dataclass(frozen=True)
class ReportInputs:
    """What the report of one dataset reads; the experiment's own dataset has `others`.

    Attributes:
        study: What was compared.
        evaluation: Folder of scores and claims.
        probes: Folder of probes and examples, None for a further dataset.
        corpus: The corpus's folder.
        features: The feature folder.
        digest: Name of the results folder, None for a further dataset.
        searched: What the search on dev chose, by method.
        settings: How the cells were trained.
        published_as: The corpus's name in tables of published figures, None where it is in none.
        command: The command that remakes the results from a fresh clone.
        params: The whole configuration, as it is published.
        made_from: What manifest.json says of corpus, encoder, features, cells and blocks.
        others: The further datasets.
    """

    study: Study
    evaluation: Path
    probes: Path | None
    corpus: Path
    features: Path
    digest: str | None
    searched: Mapping[str, Searched]
    settings: Settings
    published_as: str | None
    command: str
    params: Mapping[str, Any]
    made_from: Mapping[str, Any]
    others: Sequence["ReportInputs"] = ()
