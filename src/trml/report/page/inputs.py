"""What the page is made from: published files, and the words that no file has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from trml.corpora.contract import CorpusInfo
from trml.features.contract import FeatureInfo
from trml.report.page.headlines import Finding, headlines
from trml.report.page.published import Published
from trml.report.sections import Section
from trml.report.tables.common.table import Table
from trml.training.contract import Settings


@dataclass(frozen=True)
class Shown:
    """A saved figure: its section, its name, its caption, its place in the section, and the svg file."""

    section: str
    name: str
    caption: str
    order: int
    svg: Path


@dataclass(frozen=True)
class Facts:
    """What is said of the experiment as a whole.

    Attributes:
        experiment: The experiment in config/ that the configuration is or changes, None if there is none.
        moved: What it changes, in words.
        corpus: The corpus. sizes: Utterances in each split. groups: Videos, speakers or dialogues of the test split.
        has_intervals: Whether there are seeds and groups enough for intervals and tests.
        features: The features.
        settings: How cells were trained.
        searched: Whether a search on dev chose options.
        published: What is said of published figures.
        verdicts: What the verdicts mean.
        findings: Further sentences of what was found.
        trainings: How many cells there are.
        sections: Of the page, in order.
    """

    experiment: str | None
    moved: Sequence[str]
    corpus: CorpusInfo
    sizes: Mapping[str, int]
    groups: int
    has_intervals: bool
    features: FeatureInfo
    settings: Settings
    searched: bool
    published: str
    verdicts: str
    findings: Sequence[str]
    trainings: int
    sections: Sequence[Section]

    @property
    def is_generated(self) -> bool:
        """Whether the corpus is made by this project, so that its texts and clips may be shown."""
        return bool(self.corpus.factors)


@dataclass(frozen=True)
class Examples:
    """Utterances to look at, of a generated corpus.

    Attributes:
        classes: Of a classification, empty for regression.
        method: Whose errors they were picked by. rate: In training. seeds: How many trainings.
        chosen: Entries of examples.json.
        strips: The frames of their clips, side by side, as PNG, by utterance.
    """

    classes: Sequence[str]
    method: str
    rate: float
    seeds: int
    chosen: Sequence[Mapping[str, Any]]
    strips: Mapping[str, bytes]


@dataclass(frozen=True)
class PageInputs:
    """What the page is made from.

    Attributes:
        own: The experiment's own results. regimes: The same corpus under other protocols.
        facts: Words.
        figures: Saved figures. tables: Every table.
        manifest: manifest.json.
        examples: None without probes, or of a corpus that is not generated.
        texts: Of test utterances: utterance_id, text; empty of a corpus that is not generated.
    """

    own: Published
    regimes: Sequence[Published]
    facts: Facts
    figures: Sequence[Shown]
    tables: Mapping[str, Table]
    manifest: Mapping[str, Any]
    examples: Examples | None = None
    texts: pl.DataFrame | None = None

    @property
    def datasets(self) -> list[Published]:
        """The experiment's own results, and those of its regimes."""
        return [self.own, *self.regimes]

    @cached_property
    def headlines(self) -> list[Finding]:
        """What was found, at most three findings."""
        return headlines(self.datasets)
