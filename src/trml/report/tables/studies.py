"""Variants, sweeps and grids of each method that has any, at the study rate."""

import polars as pl

from trml.evaluation.contract import StudyMethod, StudyVariant
from trml.methods.config import DEFAULT
from trml.report.dataset import Dataset
from trml.report.sections import further
from trml.report.tables.common.rows import score_cell
from trml.report.tables.common.table import Table, plain


def tables(data: Dataset) -> list[Table]:
    """Return one table per method with variants, in each regime."""
    return [
        _table(each, method, i)
        for each in data.studied
        for i, method in enumerate(each.study.methods)
        if method.variants
    ]


def _table(data: Dataset, method: StudyMethod, order: int) -> Table:
    study, metric, rate = data.study, data.primary, data.study.study_rate
    labels = {DEFAULT: "default", **{variant.name: _label(variant) for variant in _in_order(method)}}
    part = data.summary.filter(
        pl.col("protocol") == study.training,
        pl.col("method") == method.name,
        pl.col("rate") == rate,
        pl.col("variant").is_in(list(labels)),
        pl.col("victim").is_in(study.single_victims),
    )
    rows = {
        (row["variant"], row["victim"]): {**row, "leads": False}
        for row in part.filter(pl.col("metric") == metric.name).iter_rows(named=True)
    }
    lines = [
        [*plain([label]), *(score_cell(rows.get((variant, victim))) for victim in study.single_victims)]
        for variant, label in labels.items()
    ]
    header = ["variant", *(f"{victim} {rate:.0%} missing" for victim in study.single_victims)]
    note = f"{metric.label} with 95 % intervals, {study.at_study_rate}."
    title = f"Variants of {method.label}"
    section = further(study) or "studies"
    return Table(section, f"study_{method.name}{data.suffix}", title, note, header, [("", lines)], part, order + 1)


def _in_order(method: StudyMethod) -> list[StudyVariant]:
    """Return named variants, then each option's sweep by value, then grids."""
    swept = {next(iter(v.options)): 0 for v in method.variants if v.kind == "sweep"}
    return [
        *(variant for variant in method.variants if variant.kind in ("loss", "design")),
        *(v for option in swept for v in sorted(method.swept(option), key=lambda v: v.options[option])),
        *(variant for variant in method.variants if variant.kind == "grid"),
    ]


def _label(variant: StudyVariant) -> str:
    if variant.kind in ("loss", "design"):
        return variant.label
    return ", ".join(f"{option} = {value:g}" for option, value in variant.options.items())
