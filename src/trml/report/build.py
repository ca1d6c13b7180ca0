"""Builds the results of an experiment from its evaluation: tables, figures, claims.md, the page and the manifest."""

import base64
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
import yaml

from trml import __version__
from trml.base.artifacts import read_json, write_json
from trml.base.digests import file_digest, versions
from trml.config.params import Params
from trml.corpora.contract import CorpusInfo
from trml.corpora.feature_files.config import ArraysConfig
from trml.corpora.pantomime.config import PantomimeConfig
from trml.corpora.user_table.config import OwnConfig
from trml.evaluation.metrics import Metric, metrics_of
from trml.features.contract import FeatureInfo
from trml.planning.plan import Plan
from trml.report.card import Card, card_table, draw_card, write_card
from trml.report.figures import draw_all, draw_rates
from trml.report.literature import published_words
from trml.report.pictures import draw_pictures
from trml.report.tables import (
    Table,
    claim_table,
    laboratory_table,
    main_table,
    rate_table,
    robustness_table,
    search_table,
    settings_table,
    study_table,
    to_markdown,
    verdict_table,
    write_table,
)

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


@dataclass(frozen=True)
class Section:
    """A part of the page: figures, then tables; `open` ones show their tables at once."""

    id: str
    title: str
    words: str
    figures: list[str]
    tables: list[Table]
    open: bool = False


def build(plan: Plan, folder: Path) -> None:
    """Fill `folder` with results/<experiment> as it will be published."""
    params, evaluation = plan.params, plan.evaluation
    summary = pl.read_parquet(evaluation / "summary.parquet")
    claims = read_json(evaluation / "claims.json")
    features = FeatureInfo(**read_json(plan.features / "features.json"))
    metrics = metrics_of(features.task, len(features.classes))
    path = evaluation / "laboratory.parquet"
    laboratory = pl.read_parquet(path) if path.is_file() else None
    for name in _COPIED:
        shutil.copyfile(evaluation / name, folder / name)
    for other in plan.others:
        shutil.copyfile(other.evaluation / "metrics.csv", folder / f"metrics_{other.dataset}.csv")
    (folder / "params.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(asdict(params))), sort_keys=False))

    corpora = [each for each in (plan, *plan.others) if each.dataset is None or each.study == "corpus"]
    cards = [Card.of(each) for each in corpora]
    captions = draw_all(params, summary, laboratory, claims, metrics, folder / "figures")
    for other in corpora[1:]:
        captions |= _draw_further(other, folder / "figures")
    captions |= draw_pictures(params, plan.analysis, folder / "figures")
    captions |= {card_table(card).name: draw_card(card, folder / "figures") for card in cards}
    claim_tables = {claim["id"]: claim_table(claim, metrics[0]) for claim in claims}
    sections = _sections(plan, summary, laboratory, metrics, list(captions))
    sections += _of_corpora(corpora, cards, claims, list(captions))
    for table in (*claim_tables.values(), *(table for section in sections for table in section.tables)):
        write_table(table, folder / "tables")
    for name in ("retrieval", "levels"):
        pl.read_parquet(plan.analysis / f"{name}.parquet").write_csv(folder / "tables" / f"virtual_{name}.csv")
    for card in cards:
        write_card(card, folder / "cards" / f"{card.info.name}.md")
    (folder / "claims.md").write_text(_claims_markdown(claims, claim_tables, metrics[0].label))

    manifest = _manifest(plan, evaluation, features)
    (folder / "report").mkdir()
    page = _page(plan, folder, captions, sections, claims, claim_tables, features, manifest)
    (folder / "report" / "index.html").write_text(page)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest["files"] = {str(path.relative_to(folder)): file_digest(path) for path in files}
    write_json(folder / "manifest.json", manifest)


def _made_up(params: Params, laboratory: pl.DataFrame | None) -> str:
    """Whether any method pretends to recover what cannot be, in words."""
    if laboratory is None:
        return ""
    nothing = laboratory.filter(pl.col("recovered").is_null())
    if nothing.is_empty():
        return "In none of these datasets is there nothing to recover."
    names = [params.methods[name].label for name in nothing.filter(pl.col("makes_up"))["method"]]
    verdict = (
        f"These do, with errors significantly above the constant predictor's: {', '.join(names)}."
        if names
        else "None does: no error is significantly above the constant predictor's."
    )
    return f"At redundancy 0 nothing can be recovered. Does any method pretend to? {verdict}"


def _sections(
    plan: Plan,
    summary: pl.DataFrame,
    laboratory: pl.DataFrame | None,
    metrics: tuple[Metric, ...],
    figures: list[str],
) -> list[Section]:
    """What the page shows, in its order; a part that the experiment does not have is left out."""
    params, first = plan.params, metrics[0]
    robustness = pl.read_parquet(plan.evaluation / "robustness.parquet")

    def drawn(*starts: str) -> list[str]:
        return [name for name in figures if name.startswith(starts)]

    def rates(protocol: str, victims: Sequence[str]) -> list[Table]:
        return [
            rate_table(params, summary, protocol, victim, first)
            for victim in params.protocol.victims
            if victim in victims
        ]

    modalities = [f"rates_{victim}" for victim in params.protocol.modalities]
    aside = [f"_{other.dataset}" for other in plan.others if other.study == "corpus"]
    figures = [name for name in figures if not name.endswith(tuple(aside))]
    study_tables = [
        study_table(params, summary, name, first) for name, m in params.methods.items() if plan.variants(name)
    ]
    searches = [search_table(params)] if params.chosen else []
    searches += [
        search_table(other.params, other.dataset) for other in plan.others if other.params.chosen != params.chosen
    ]
    further = [_further(other) for other in plan.others if other.study == "alignment"]
    sections = [
        Section(
            "curves",
            "Scores over the missing rate",
            "",
            [name for name in figures if name in modalities],
            [main_table(params, summary, metrics)],
            open=True,
        ),
        Section(
            "settings",
            "Settings A and B",
            "",
            drawn("settings"),
            [settings_table(params, summary, metrics)] if params.protocol.complete else [],
            open=True,
        ),
        Section("either", "Either modality missing", "", drawn("rates_either"), rates("alike", ["either"])),
        Section("frames", "Frames missing", "", drawn("rates_frames"), rates("alike", ["frames"])),
        Section(
            "complete",
            "Complete in training, missing at evaluation",
            "What a model loses that was never trained for a missing modality.",
            drawn("complete_training"),
            rates("complete", params.protocol.victims),
        ),
        Section(
            "robustness",
            "Robustness",
            "",
            [],
            [robustness_table(params, robustness, first)] if robustness.height else [],
        ),
        Section("studies", "Loss terms, temperature, weights", "", drawn("ablation", "sweep_", "grid_"), study_tables),
        Section("alignment", "An aligned space, or not", "", drawn("alignment"), further),
        Section(
            "laboratory",
            "What can be recovered",
            _made_up(params, laboratory),
            drawn("laboratory"),
            [] if laboratory is None else [laboratory_table(params, laboratory)],
            open=True,
        ),
        Section("search", "The search on dev", "", [], searches),
    ]
    return [section for section in sections if section.figures or section.tables]


def _of_corpora(
    corpora: list[Plan], cards: list[Card], claims: list[dict[str, Any]], figures: list[str]
) -> list[Section]:
    """The same experiment on other corpora, and the cards of all."""
    decided = {plan.params.corpus.name: read_json(plan.evaluation / "claims.json") for plan in corpora[1:]}
    sections = []
    if decided:
        table = verdict_table({corpora[0].params.corpus.name: claims, **decided})
        sections.append(Section("corpora", "The claims on every corpus", "", [], [table], open=True))
    for other in corpora[1:]:
        drawn = [name for name in figures if name.startswith("rates_") and name.endswith(f"_{other.dataset}")]
        title = f"Scores on {other.dataset}"
        sections.append(Section(f"on_{other.dataset}", title, "", drawn, [_further(other)], open=True))
    tables = [card_table(card) for card in cards]
    title = "The corpus" if len(cards) == 1 else "The corpora"
    words = "What there is, what is missing for real, and what stands in two splits."
    return [*sections, Section("cards", title, words, [table.name for table in tables], tables)]


def _draw_further(other: Plan, folder: Path) -> dict[str, str]:
    """The curves of a further dataset."""
    summary, params = pl.read_parquet(other.evaluation / "summary.parquet"), other.params
    return draw_rates(params, summary, _metrics_of(other), folder, f"_{other.dataset}")


def _metrics_of(plan: Plan) -> tuple[Metric, ...]:
    features = FeatureInfo(**read_json(plan.features / "features.json"))
    return metrics_of(features.task, len(features.classes))


def _further(other: Plan) -> Table:
    """The main table of a further dataset."""
    features, metrics = FeatureInfo(**read_json(other.features / "features.json")), _metrics_of(other)
    table = main_table(other.params, pl.read_parquet(other.evaluation / "summary.parquet"), metrics)
    title = f"{other.dataset}: {other.params.corpus.name} through {features.weights}"
    return replace(table, name=f"main_{other.dataset}", title=title)


def _claims_markdown(claims: list[dict[str, Any]], tables: dict[str, Table], metric: str) -> str:
    lines = ["# Claims", "", "| claim | verdict | for | against | undecided |", "|---|---|---|---|---|"]
    for claim in claims:
        counts = count_verdicts(claim)
        verdict = f"**{claim['verdict']}** | {counts['for']} | {counts['against']} | {counts['undecided']}"
        lines.append(f"| {claim['id']}: {claim['text']} | {verdict} |")
    lines += ["", f"Judged by {metric}. {VERDICTS}", ""]
    for claim in claims:
        table, shown = tables[claim["id"]], ", ".join(f"figures/{name}.png" for name in claim["figures"])
        lines += [f"## {table.title}", "", *to_markdown(table).splitlines()[2:], "", f"Shown in: {shown}", ""]
    return "\n".join(lines)


VERDICTS = (
    "Supported: every comparison speaks for it, significantly; refuted: at least one against it. Where one comparison "
    "is enough to support a claim (C6), it is refuted if all speak against it. Undecided: anything else."
)


def count_verdicts(claim: dict[str, Any]) -> dict[str, int]:
    """How many comparisons speak for a claim, against it, for neither, or could not be made."""
    verdicts = [c["verdict"] for c in claim["comparisons"]]
    return {verdict: verdicts.count(verdict) for verdict in ("for", "against", "undecided", "failed")}


def _manifest(plan: Plan, evaluation: Path, features: FeatureInfo) -> dict[str, Any]:
    cells = read_json(evaluation / "cells.json")
    return {
        "experiment": plan.name,
        "digest": plan.results.name,
        "command": _command(plan.params),
        "made_from": {
            "corpus": plan.corpus.name,
            "encoder": plan.encoder.name if plan.encoder else features.weights,
            "features": plan.features.name,
            "analysis": plan.analysis.name,
            "cells": len(plan.cells),
            "blocks": list(plan.blocks),
            "further": {
                other.dataset: {
                    "corpus": other.corpus.name,
                    "encoder": other.encoder.name if other.encoder else None,
                    "features": other.features.name,
                    "cells": len(other.cells),
                }
                for other in plan.others
            },
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


def _command(params: Params) -> str:
    """The command that remakes the results from a fresh clone. What fits one's own files alone is no experiment by
    name: its configuration is published beside the results."""
    if isinstance(params.corpus, OwnConfig | ArraysConfig):
        return f"snakemake --cores all --config params=results/{params.name}/params.yaml"
    data = "" if isinstance(params.corpus, PantomimeConfig) else " DATA=<folder of the corpora>"
    return f"make results EXPERIMENT={params.name}{data}"


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
    sections: list[Section],
    claims: list[dict[str, Any]],
    claim_tables: dict[str, Table],
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
    figures = {name: _embedded(folder / "figures" / f"{name}.svg", caption) for name, caption in captions.items()}
    return environment.get_template("index.html.j2").render(
        params=plan.params,
        corpus=CorpusInfo(**read_json(plan.corpus / "corpus.json")),
        sizes=dict(_split_sizes(plan)),
        features=features,
        figures=figures,
        sections=sections,
        verdicts=VERDICTS,
        claims=[{**claim, "counts": count_verdicts(claim), "table": claim_tables[claim["id"]]} for claim in claims],
        published=published_words(plan.params),
        analysis=read_json(plan.analysis / "analysis.json"),
        manifest=manifest,
        cells=sum(len(each.cells) for each in (plan, *plan.others)),
    )


def _split_sizes(plan: Plan) -> list[tuple[str, int]]:
    counts = pl.read_parquet(plan.features / "index.parquet")["split"].value_counts()
    found = {split: n for split, n in counts.iter_rows()}
    return [(split, found[split]) for split in ("train", "valid", "test")]


_REM_PER_INCH = 8  # on the page: the 8 points of a figure's text come out as large as a caption


def _embedded(path: Path, caption: str) -> dict[str, Any]:
    """A figure as the page shows it: its own bytes, and its width in rem."""
    svg = path.read_bytes()
    points = re.search(rb'<svg [^>]*?width="([0-9.]+)pt"', svg)
    assert points is not None, f"{path} names no width"
    return {
        "caption": caption,
        "source": "data:image/svg+xml;base64," + base64.b64encode(svg).decode(),
        "width": round(float(points[1]) / 72 * _REM_PER_INCH, 1),
    }
