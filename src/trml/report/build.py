"""Builds the results of an experiment from its evaluation: tables, figures, claims.md, the page and the manifest."""

import base64
import json
import platform
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
import yaml

from trml import __version__
from trml.corpora import corpus_module
from trml.corpora.contract import CorpusInfo
from trml.evaluation.metrics import metrics_of
from trml.features import FeatureInfo
from trml.plan import Plan
from trml.report.figures import draw_all
from trml.report.pictures import draw_pictures
from trml.report.tables import Table, claim_table, main_table, study_table, to_markdown, write_table
from trml.store import file_digest, read_json, versions, write_json

_COPIED = ("metrics.parquet", "metrics.csv", "claims.json")
_PACKAGES = (
    "torch",
    "open_clip_torch",
    "snakemake",
    "dvc",
    "polars",
    "numpy",
    "av",
    "matplotlib",
    "pydantic",
)


def build(plan: Plan, evaluation: Path, folder: Path) -> None:
    """Fill `folder` with results/<experiment> as it will be published."""
    params = plan.params
    summary = pl.read_parquet(evaluation / "summary.parquet")
    claims = read_json(evaluation / "claims.json")
    features = FeatureInfo(**read_json(plan.features / "features.json"))
    metrics = metrics_of(features.task, len(features.classes))
    for name in _COPIED:
        shutil.copyfile(evaluation / name, folder / name)
    (folder / "params.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(asdict(params))), sort_keys=False))

    captions = draw_all(params, summary, claims, metrics, folder / "figures")
    captions |= draw_pictures(params, plan.analysis, folder / "figures")
    main = main_table(params, summary, metrics)
    claim_tables = {claim["id"]: claim_table(claim, metrics[0]) for claim in claims}
    studies = [
        study_table(params, summary, name, metrics[0]) for name, m in params.methods.items() if m.variants or m.sweeps
    ]
    for table in (main, *claim_tables.values(), *studies):
        write_table(table, folder / "tables")
    for name in ("retrieval", "levels"):
        pl.read_parquet(plan.analysis / f"{name}.parquet").write_csv(folder / "tables" / f"virtual_{name}.csv")
    (folder / "claims.md").write_text(_claims_markdown(claims, claim_tables, metrics[0].label))

    manifest = _manifest(plan, evaluation, features)
    (folder / "report").mkdir()
    page = _page(plan, folder, captions, main, claims, claim_tables, studies, features, manifest)
    (folder / "report" / "index.html").write_text(page)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest["files"] = {str(path.relative_to(folder)): file_digest(path) for path in files}
    write_json(folder / "manifest.json", manifest)


def _claims_markdown(claims: list[dict[str, Any]], tables: dict[str, Table], metric: str) -> str:
    lines = ["# Claims", "", "| claim | verdict | better | worse | undecided |", "|---|---|---|---|---|"]
    for claim in claims:
        counts = count_verdicts(claim)
        verdict = f"**{claim['verdict']}** | {counts['better']} | {counts['worse']} | {counts['undecided']}"
        lines.append(f"| {claim['id']}: {claim['text']} | {verdict} |")
    rule = "Supported: every comparison significantly better. Refuted: at least one significantly worse."
    lines += ["", f"Judged by {metric}. {rule}", ""]
    for table in tables.values():
        lines += [f"## {table.title}", "", *to_markdown(table).splitlines()[2:], ""]
    return "\n".join(lines)


def count_verdicts(claim: dict[str, Any]) -> dict[str, int]:
    """How many comparisons of a claim came out better, worse and undecided."""
    verdicts = [c["verdict"] for c in claim["comparisons"]]
    return {verdict: verdicts.count(verdict) for verdict in ("better", "worse", "undecided", "failed")}


def _manifest(plan: Plan, evaluation: Path, features: FeatureInfo) -> dict[str, Any]:
    cells = read_json(evaluation / "cells.json")
    return {
        "experiment": plan.name,
        "digest": plan.results.name,
        "command": _command(
            plan.params.name,
            bool(corpus_module(plan.params.corpus.kind).raw_files(plan.params.corpus, Path())),
        ),
        "made_from": {
            "corpus": plan.corpus.name,
            "encoder": plan.encoder.name if plan.encoder else features.weights,
            "features": plan.features.name,
            "analysis": plan.analysis.name,
            "cells": len(plan.cells),
            "blocks": list(plan.blocks),
        },
        "git_commit": _git("rev-parse", "HEAD"),
        "git_clean": _git("status", "--porcelain", "--untracked-files=no", "--", ":!results") == "",
        "versions": {"trml": __version__, "python": platform.python_version(), **versions(*_PACKAGES)},
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "devices": sorted({c["device"] for c in cells}),
        },
        "failed_cells": {c["digest"]: c["failed"] for c in cells if c["failed"]},
        "training_wall_s": round(sum(c["wall_s"] for c in cells), 1),
    }


def _command(experiment: str, brings_data: bool) -> str:
    """The command that remakes the results from a fresh clone."""
    return "make results" + (f" EXPERIMENT={experiment} DATA=<folder of the corpora>" if brings_data else "")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _page(
    plan: Plan,
    folder: Path,
    captions: dict[str, str],
    main: Table,
    claims: list[dict[str, Any]],
    claim_tables: dict[str, Table],
    studies: list[Table],
    features: FeatureInfo,
    manifest: dict[str, Any],
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figures = {
        name: {"caption": caption, "source": _data_uri(folder / "figures" / f"{name}.svg")}
        for name, caption in captions.items()
    }
    return environment.get_template("index.html.j2").render(
        params=plan.params,
        corpus=CorpusInfo(**read_json(plan.corpus / "corpus.json")),
        sizes=dict(_split_sizes(plan)),
        features=features,
        figures=figures,
        main=main,
        claims=[{**claim, "counts": count_verdicts(claim), "table": claim_tables[claim["id"]]} for claim in claims],
        studies=studies,
        analysis=read_json(plan.analysis / "analysis.json"),
        manifest=manifest,
        cells=len(plan.cells),
    )


def _split_sizes(plan: Plan) -> list[tuple[str, int]]:
    counts = pl.read_parquet(plan.features / "index.parquet")["split"].value_counts()
    found = {split: n for split, n in counts.iter_rows()}
    return [(split, found[split]) for split in ("train", "valid", "test")]


def _data_uri(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()
