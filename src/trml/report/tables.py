"""The tables, each as csv (every number), markdown and LaTeX (booktabs), from the summary and the claims alone."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from trml.config import Params
from trml.evaluation.metrics import Metric
from trml.plan import DEFAULT, sweep_name

_HEADLINE = ("mae", "corr", "acc2_neg_nonneg", "accuracy", "f1_weighted", "f1_macro")


@dataclass(frozen=True)
class Table:
    """A table for people: a header, groups of rows, and which cells are bold, with the csv behind it."""

    name: str
    title: str
    note: str
    header: list[str]
    groups: list[tuple[str, list[list[tuple[str, bool]]]]]
    data: pl.DataFrame


def main_table(params: Params, summary: pl.DataFrame, metrics: tuple[Metric, ...]) -> Table:
    """Every method under complete data and under the configured missing rates of each victim."""
    columns = [(params.protocol.victims[0], 0.0)] if 0.0 in params.protocol.rates else []
    columns += [(victim, rate) for victim in params.protocol.victims for rate in params.report.conditions if rate > 0]
    header = ["method", *("complete" if r == 0 else f"{v} {r:.0%} missing" for v, r in columns)]
    rows = [
        ("ceiling", "Ceiling (exact)"),
        *((n, m.label) for n, m in params.methods.items()),
        ("constant", "Constant predictor"),
    ]
    data = summary.filter(pl.col("variant") == DEFAULT)
    # A method that is another one for each victim has no single score on complete data.
    by_victim = {name for name, method in params.methods.items() if "victim" in method.depends_on}
    groups = []
    for metric in metrics:
        if metric.name not in _HEADLINE:
            continue
        part = {
            (row["method"], row["victim"], row["rate"]): row
            for row in data.filter(pl.col("metric") == metric.name).iter_rows(named=True)
        }
        lines = [
            [
                (label, False),
                *(
                    _cell(None if rate == 0 and name in by_victim else part.get((name, victim, rate)))
                    for victim, rate in columns
                ),
            ]
            for name, label in rows
            if any((name, *column) in part for column in columns)
        ]
        groups.append((f"{metric.label} ({'higher' if metric.higher_is_better else 'lower'} is better)", lines))
    note = (
        f"Mean over {len(params.protocol.seeds)} seeds with a 95 % paired bootstrap interval over test utterances and "
        "seeds. Trained and evaluated at the same missing rate; Supervised-Double is trained on complete data and sees "
        "zeros for what is missing. Bold: the best of the compared methods and all that are not significantly worse "
        "(Holm, 5 %); the upper bound is not compared. "
        "Empty: a method of one modality, whose score without anything missing is that of its other columns."
    )
    return Table("main", "Main results", note, header, groups, data)


def _cell(row: dict[str, Any] | None) -> tuple[str, bool]:
    if row is None:
        return "", False
    if row["failed"]:
        return f"failed ({row['failed']} of the seeds)", False
    interval = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['value']:.3f}{interval}", bool(row["leads"])


def claim_table(claim: dict[str, Any], metric: Metric) -> Table:
    """The comparisons of a claim."""
    header = ["against", "victim", "rate", f"gain in {metric.label}", "95 % interval", "p (Holm)", "verdict"]
    lines = [
        [
            (str(c["label"]), False),
            (c["victim"], False),
            (f"{c['rate']:g}", False),
            *_gain_cells(c),
            (c["verdict"], False),
        ]
        for c in claim["comparisons"]
    ]
    n = f"n = {claim['utterances']} test utterances, {claim['seeds']} seeds, {claim['resamples']} resamples"
    note = f"{claim['how']} A gain is positive where the claim's side is better; {n}."
    data = pl.DataFrame(claim["comparisons"], infer_schema_length=None)
    return Table(f"claim_{claim['id'].lower()}", f"{claim['id']}: {claim['text']}", note, header, [("", lines)], data)


def _gain_cells(c: dict[str, Any]) -> list[tuple[str, bool]]:
    """Gain, interval and p of a comparison."""
    if c["effect"] is None:
        return [("", False)] * 3
    gain = (f"{c['effect']:+.3f}", c["verdict"] == "better")
    return [gain, (f"[{c['low']:+.3f}, {c['high']:+.3f}]", False), (f"{c['p_holm']:.3f}", False)]


def study_table(params: Params, summary: pl.DataFrame, method: str, metric: Metric) -> Table:
    """The variants and sweeps of a method at the study rate."""
    config, rate = params.methods[method], params.protocol.study_rate
    swept = {sweep_name(o, v): f"{o} = {v:g}" for o, values in config.sweeps.items() for v in sorted(values)}
    names = {DEFAULT: "default", **{k: v.label for k, v in config.variants.items()}, **swept}
    part = summary.filter(pl.col("method") == method, pl.col("rate") == rate, pl.col("variant").is_in(list(names)))
    rows = {
        (r["variant"], r["victim"]): {**r, "leads": False}
        for r in part.filter(pl.col("metric") == metric.name).iter_rows(named=True)
    }
    lines = [
        [(label, False), *(_cell(rows.get((variant, v))) for v in params.protocol.victims)]
        for variant, label in names.items()
    ]
    header = ["variant", *(f"{v} {rate:.0%} missing" for v in params.protocol.victims)]
    note = f"{metric.label} with 95 % intervals, trained and evaluated at missing rate {rate:g}."
    return Table(f"study_{method}", f"Variants of {config.label}", note, header, [("", lines)], part)


def write_table(table: Table, folder: Path) -> None:
    """Write name.csv, name.md and name.tex."""
    folder.mkdir(parents=True, exist_ok=True)
    table.data.with_columns(pl.col(pl.Float64).round(6)).write_csv(folder / f"{table.name}.csv")
    (folder / f"{table.name}.md").write_text(to_markdown(table))
    (folder / f"{table.name}.tex").write_text(to_latex(table))


def to_markdown(table: Table) -> str:
    """The table in markdown, groups as rows of their own."""
    lines = [f"**{table.title}**", "", _row(table.header, " | "), "|" + "---|" * len(table.header)]
    for title, rows in table.groups:
        if title:
            lines.append(_row([f"*{title}*"] + [""] * (len(table.header) - 1), " | "))
        lines += [_row(_emphasised(row, lambda text: f"**{text}**"), " | ") for row in rows]
    return "\n".join([*lines, "", table.note, ""])


def _row(cells: list[str], separator: str) -> str:
    return f"| {separator.join(cells)} |"


def _emphasised(row: list[tuple[str, bool]], bold: Callable[[str], str]) -> list[str]:
    return [bold(text) if strong and text else text for text, strong in row]


def to_latex(table: Table) -> str:
    """A LaTeX table with booktabs."""
    n = len(table.header)
    lines = [r"\begin{table}", r"\centering\small", f"\\caption{{{_tex(table.title)}. {_tex(table.note)}}}"]
    lines += [f"\\label{{tab:{table.name}}}", f"\\begin{{tabular}}{{l{'r' * (n - 1)}}}", r"\toprule"]
    lines += [" & ".join(_tex(text) for text in table.header) + r" \\"]
    for title, rows in table.groups:
        lines.append(r"\midrule")
        if title:
            lines.append(f"\\multicolumn{{{n}}}{{l}}{{\\emph{{{_tex(title)}}}}} \\\\")
        for row in rows:
            escaped = [(_tex(text), strong) for text, strong in row]
            lines.append(" & ".join(_emphasised(escaped, lambda text: f"\\textbf{{{text}}}")) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _tex(text: str) -> str:
    for plain, escaped in (
        ("\\", r"\textbackslash "),
        ("&", r"\&"),
        ("%", r"\%"),
        ("_", r"\_"),
        ("#", r"\#"),
        ("$", r"\$"),
    ):
        text = text.replace(plain, escaped)
    return text
