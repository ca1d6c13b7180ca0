"""Inputs of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trml.evaluation.contract import Searched, Study
from trml.training.contract import Settings

CRATE, SUMS = "ro-crate-metadata.json", "SHA256SUMS"
# Files of results that hold times, or name the run that made them: nothing is said by their bytes.
_OF_THE_RUN = ("report/", "tables/cost.", CRATE)


def other_files(theirs: Mapping[str, str], ours: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the files of two results that are compared, and those of them with other bytes; both by checksum."""
    names = [name for name in sorted(theirs.keys() | ours.keys()) if not name.startswith(_OF_THE_RUN)]
    return names, [name for name in names if theirs.get(name) != ours.get(name)]


@dataclass(frozen=True)
class Origin:
    """Where a corpus is from, as its configuration says.

    Attributes:
        bibtex: What to cite for it, empty without a publication.
        terms: Which a user accepts before it is fetched, empty without any.
        url: Its own page, None without one.
    """

    bibtex: str = ""
    terms: str = ""
    url: str | None = None


@dataclass(frozen=True)
class ReportInputs:
    """Inputs of the report on one dataset; the experiment's own dataset has `others`.

    Attributes:
        study: Methods, missing patterns, rates and seeds that are compared.
        evaluation: Folder of scores and claims.
        probes: Folder of probes and examples, None for a further dataset.
        corpus: The corpus's folder.
        features: The feature folder.
        encoder: The folder of the encoder, None if the workflow trains none.
        references: The folder of the predictions of reference models.
        digest: Name of the results folder, None for a further dataset.
        searched: Results of the search on dev, by method.
        settings: Training settings that all cells share.
        published_as: The corpus's name in published figures, None if there are none.
        command: The command that remakes the results from a fresh clone.
        name: What the results are published under.
        experiment: The experiment in config/ that the configuration is or changes, None if there is none.
        moved: What it changes: dotted key -> (the experiment's value, its own).
        params: The whole configuration, written to params.yaml.
        made_from: The names of corpus, encoder, features and probes, and the number of cells, for manifest.json.
        forms: In which figures are saved, beside svg.
        origin: Where the corpus is from.
        others: The further datasets.
    """

    study: Study
    evaluation: Path
    probes: Path | None
    corpus: Path
    features: Path
    encoder: Path | None
    references: Path
    digest: str | None
    searched: Mapping[str, Searched]
    settings: Settings
    published_as: str | None
    command: str
    name: str
    experiment: str | None
    moved: Mapping[str, tuple[Any, Any]]
    params: Mapping[str, Any]
    made_from: Mapping[str, Any]
    forms: Sequence[str] = ("pdf", "png")
    origin: Origin = Origin()
    others: Sequence["ReportInputs"] = ()
