"""Build the results of an experiment: tables, figures, cards, claims.md, the page and the manifest."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import polars as pl
import yaml

from trml.base.artifacts import intact, write_json
from trml.evaluation.contract import LABELLED, PUBLISHED
from trml.report.card import write_card
from trml.report.claims_page import claims_page
from trml.report.contract import ReportInputs
from trml.report.croissant import write_croissant
from trml.report.dataset import Dataset, rounded
from trml.report.manifest import checksums, manifest
from trml.report.page.gather import gather
from trml.report.page.inputs import Shown
from trml.report.page.render import render
from trml.report.provenance import cell_contents
from trml.report.registry import all_figures, all_tables
from trml.report.style import save
from trml.report.tables.common.table import write_table


def build(inputs: ReportInputs, folder: Path) -> None:
    """Fill `folder` with results/<experiment> as it will be published.

    Raises:
        StoreError: If what evaluation and the probes wrote has changed since.
    """
    for dataset in (inputs, *inputs.others):
        for written in filter(None, (dataset.evaluation, dataset.probes)):
            intact(written)
    data = Dataset(inputs)
    shutil.copyfile(inputs.evaluation / "metrics.parquet", folder / "metrics.parquet")
    for each in (data, *data.others):
        _scores(each, folder)
    # By way of JSON: YAML would tag tuples.
    (folder / "params.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(inputs.params)), sort_keys=False))

    _predictions(inputs, folder / PUBLISHED)
    cell_contents(data).write_csv(folder / "cells.csv")

    tables = {table.name: table for table in all_tables(data)}
    for table in tables.values():
        write_table(table, folder / "tables")
    shown = []
    for drawn in all_figures(data):
        save(drawn.figure, folder / "figures", drawn.name, inputs.forms)
        svg = folder / "figures" / f"{drawn.name}.svg"
        shown.append(Shown(drawn.section, drawn.name, drawn.caption, drawn.order, svg))
    for each in data.corpora:
        card = folder / "cards" / f"{each.card.info.name}.md"
        write_card(each.card, card)
        write_croissant(each.card, each.inputs.corpus, each.inputs.origin, card.with_suffix(".croissant.json"))
    (folder / "claims.md").write_text(claims_page(data, tables))

    record = manifest(data)
    (folder / "report").mkdir()
    page = gather(data, folder, shown, tables, record)
    (folder / "report" / "index.html").write_text(render(page))
    write_json(folder / "findings.json", [asdict(finding) for finding in page.headlines])
    write_json(folder / "manifest.json", {**record, "files": checksums(folder)})


def published_scores(evaluation: Path) -> pl.DataFrame:
    """Return the scores of an evaluation as metrics.csv has them: with six decimals."""
    return rounded(evaluation / "metrics.parquet")


def _scores(data: Dataset, folder: Path) -> None:
    """Write the scores, means, pairs and claims of a dataset."""
    published_scores(data.inputs.evaluation).write_csv(folder / f"metrics{data.suffix}.csv")
    has_claims = data.claims or data.study.dataset is None
    for name in ("summary.parquet", "pairs.parquet", *(["claims.json"] if has_claims else [])):
        path = folder / name
        shutil.copyfile(data.inputs.evaluation / name, path.with_stem(path.stem + data.suffix))


def _predictions(inputs: ReportInputs, folder: Path) -> None:
    """Copy what scores are computed from. Labels are published of generated corpora alone: others have terms."""
    shutil.copytree(inputs.evaluation / PUBLISHED, folder)
    if not (inputs.corpus / "factors.parquet").is_file():  # which generated corpora have
        test = pl.read_parquet(folder / LABELLED)
        test.with_columns(label=pl.lit(None, pl.Float64)).write_parquet(folder / LABELLED)
