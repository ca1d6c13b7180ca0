"""Gather what the page is made from of an experiment that was just built."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from trml.evaluation.contract import FEWEST_GROUPS, FEWEST_SEEDS, LABELLED, PUBLISHED
from trml.report.claims_page import verdict_words
from trml.report.dataset import Dataset
from trml.report.findings import findings
from trml.report.literature.published import published_words
from trml.report.page.changes import changes
from trml.report.page.inputs import Examples, Facts, PageInputs, Shown
from trml.report.page.published import Published
from trml.report.sections import sections
from trml.report.tables.common.table import Table


def gather(
    data: Dataset, folder: Path, figures: Sequence[Shown], tables: Mapping[str, Table], manifest: Mapping[str, Any]
) -> PageInputs:
    """Return the inputs of the page.

    Args:
        data: The experiment.
        folder: Its results, with everything but the page and manifest.json.
        figures: Its figures.
        tables: By name.
        manifest: manifest.json.
    """
    return PageInputs(
        own=_published(data, data, folder),
        regimes=[_published(data, each, folder) for each in data.regimes],
        facts=_facts(data),
        figures=figures,
        tables=tables,
        manifest=manifest,
        examples=_examples(data),
        texts=_texts(data, folder),
    )


def _published(data: Dataset, each: Dataset, folder: Path) -> Published:
    return Published(folder, data.inputs.name, each.study, each.metrics)


def _facts(data: Dataset) -> Facts:
    inputs = data.inputs
    corpora = [each.inputs.published_as for each in data.corpora if each.inputs.published_as]
    return Facts(
        experiment=inputs.experiment,
        moved=changes(inputs.moved, inputs.experiment),
        corpus=data.card.info,
        sizes=data.sizes,
        groups=data.groups,
        has_intervals=len(data.study.seeds) >= FEWEST_SEEDS and data.groups >= FEWEST_GROUPS,
        features=data.features,
        settings=inputs.settings,
        searched=bool(inputs.searched),
        published=published_words(corpora, data.study.modalities),
        verdicts=verdict_words(data),
        findings=findings(data),
        trainings=len({cell["digest"] for each in (data, *data.others) for cell in each.cells}),
        sections=sections(data),
    )


def _examples(data: Dataset) -> Examples | None:
    """Return the examples with their clips; of corpora that are not generated nothing is shown."""
    probes = data.probes
    if probes is None or not data.card.info.factors:
        return None
    chosen = probes.examples["examples"]
    strips = {each["utterance_id"]: (probes.folder / each["strip"]).read_bytes() for each in chosen if each["strip"]}
    about = probes.about
    return Examples(probes.examples["classes"], about["method"], about["train_rate"], len(probes.seeds), chosen, strips)


def _texts(data: Dataset, folder: Path) -> pl.DataFrame | None:
    """Return the texts of the test utterances of a generated corpus."""
    test = folder / PUBLISHED / LABELLED
    if not data.card.info.factors or not test.is_file():
        return None
    ids = pl.read_parquet(test).select("utterance_id")
    return ids.join(
        data.card.utterances.select("utterance_id", "text"), on="utterance_id", how="left", maintain_order="left"
    )
