"""The tables, each as csv (every number), markdown and LaTeX (booktabs), from the summary and the claims alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from trml.config.params import Params
from trml.evaluation.metrics import Metric
from trml.methods.config import DEFAULT, grid_name, grid_points, sweep_name

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
    """Every method under complete data and under the configured missing rates of each modality."""
    modalities = params.protocol.modalities
    columns = [(modalities[0], 0.0)] if 0.0 in params.protocol.rates else []
    columns += [(victim, rate) for victim in modalities for rate in params.report.conditions if rate > 0]
    header = ["method", *("complete" if r == 0 else f"{v} {r:.0%} missing" for v, r in columns)]
    data = summary.filter(pl.col("variant") == DEFAULT, pl.col("protocol") == "alike")
    # A method that is another one for each victim has no single score on complete data.
    by_victim = {name for name, method in params.methods.items() if "victim" in method.depends_on}

    def find(rows: Rows, name: str, column: Any) -> dict[str, Any] | None:
        victim, rate = column
        return None if rate == 0 and name in by_victim else rows.get((name, victim, rate, rate))

    note = (
        f"Mean over {len(params.protocol.seeds)} seeds with a 95 % paired bootstrap interval over test utterances and "
        "seeds. Trained and evaluated at the same missing rate; Supervised-Double is trained on complete data and sees "
        f"zeros for what is missing. {_BOLD} "
        "Empty: a method of one modality, whose score without anything missing is that of its other columns."
    )
    return Table("main", "Main results", note, header, _groups(params, data, metrics, columns, find), data)


def settings_table(params: Params, summary: pl.DataFrame, metrics: tuple[Metric, ...]) -> Table:
    """Settings A and B of the paper's family, at each share p of complete training utterances."""
    protocol = params.protocol
    columns = [
        (setting, victim, rate)
        for setting in ("A", "B")
        for victim in protocol.modalities
        for rate in protocol.setting_rates
    ]
    header = ["method", *(f"{setting}, {victim}, p = {1 - rate:g}" for setting, victim, rate in columns)]
    wanted = (pl.col("protocol") == "setting_a") | (
        (pl.col("protocol") == "alike") & pl.col("rate").is_in([0.0, *protocol.setting_rates])
    )
    data = summary.filter(pl.col("variant") == DEFAULT, wanted, pl.col("victim").is_in(protocol.modalities))
    upper = {name for name, method in params.methods.items() if method.role == "upper"}

    def find(rows: Rows, name: str, column: Any) -> dict[str, Any] | None:
        setting, victim, rate = column
        if name in upper:
            return rows.get((name, victim, 0.0, 0.0))
        return rows.get((name, victim, rate, 1.0 if setting == "A" else rate))

    note = (
        "A share p of the training utterances is complete, the others lack the victim. Setting A: dev and test lack it "
        "entirely. Setting B: dev and test keep the same share, and the predictions are pooled. Supervised-Double, the "
        f"upper bound, is trained and evaluated on complete data. {_BOLD}"
    )
    return Table("settings", "Settings A and B", note, header, _groups(params, data, metrics, columns, find), data)


def rate_table(params: Params, summary: pl.DataFrame, protocol: str, victim: str, metric: Metric) -> Table:
    """The primary score of every method over the missing rate of a victim, under one protocol."""
    rates = [rate for rate in params.protocol.rates_of(victim) if rate > 0 or protocol == "alike"]
    data = summary.filter(pl.col("variant") == DEFAULT, pl.col("protocol") == protocol, pl.col("victim") == victim)

    def find(rows: Rows, name: str, rate: Any) -> dict[str, Any] | None:
        return rows.get((name, victim, rate if protocol == "alike" else 0.0, rate))

    trained = "the same rate in training and at evaluation" if protocol == "alike" else "complete in training"
    what = {"either": "either modality", "frames": "frames"}.get(victim, victim)
    note = f"{_VICTIM_NOTES.get(victim, '')} {_BOLD}".strip()
    return Table(
        f"rates_{victim}" if protocol == "alike" else f"complete_training_{victim}",
        f"{what.capitalize()} missing, {trained}",
        note,
        ["method", *(f"{rate:g}" for rate in rates)],
        _groups(params, data, (metric,), rates, find),
        data,
    )


def robustness_table(params: Params, robustness: pl.DataFrame, metric: Metric) -> Table:
    """Relative and effective robustness of every method, by victim and protocol."""
    data = robustness.filter(pl.col("metric") == metric.name)
    columns = list(data.select("protocol", "victim", "measure").unique(maintain_order=True).iter_rows())
    rows = {(r["method"], r["protocol"], r["victim"], r["measure"]): r for r in data.iter_rows(named=True)}
    trained = {"alike": "same rate", "complete": "complete training"}
    lines = [
        [
            (method.label, False),
            *(
                _cell({"failed": 0, "leads": False, **rows[key]} if (key := (name, *c)) in rows else None)
                for c in columns
            ),
        ]
        for name, method in params.methods.items()
    ]
    note = (
        f"Of {metric.label}, with 95 % intervals. Relative: the area under the curve over the missing rate, divided by "
        "its span. Effective: the area above Supervised-Double's curve moved to the same start. As MultiBench defines "
        "them (Liang et al. 2021), whose reference is late fusion; a smaller area of an error is better."
    )
    header = ["method", *(f"{victim}, {trained[protocol]}, {measure}" for protocol, victim, measure in columns)]
    return Table("robustness", "Robustness over the missing rate", note, header, [("", lines)], data)


def search_table(params: Params, dataset: str | None = None) -> Table:
    """What the search on dev chose, on the experiment's own dataset or on a further one."""
    lines = [
        [
            (params.methods[name].label, False),
            (str(chosen.trials), False),
            (f"{chosen.dev_loss:.3f}", False),
            (f"{chosen.median_dev_loss:.3f}", False),
            (", ".join(f"{option} {value:g}" for option, value in chosen.options.items()), False),
        ]
        for name, chosen in params.chosen.items()
        if name in params.methods
    ]
    note = (
        "The same number of trials of every method, in a Latin hypercube over the values that its configuration names, "
        "each trained at the study rate with each modality missing, on seeds that nothing else uses. Test labels play "
        "no part."
    )
    header = ["method", "trials", "dev loss of the best", "of the median trial", "chosen"]
    data = pl.DataFrame([[text for text, _ in line] for line in lines], schema=header, orient="row")
    name, title = (f"search_{dataset}", f"The search on dev, {dataset}") if dataset else ("search", "The search on dev")
    return Table(name, title, note, header, [("", lines)], data)


def laboratory_table(params: Params, rows: pl.DataFrame) -> Table:
    """What of the missing vision each method recovers, over the redundancy."""
    shares = sorted(rows["redundancy"].unique())
    of = {(row["method"], row["redundancy"]): row for row in rows.iter_rows(named=True)}
    names = [name for name in params.methods if any((name, share) in of for share in shares)]
    lines = [
        [(params.methods[name].label, False), *(_recovered(of.get((name, share))) for share in shares)]
        for name in names
    ]
    note = (
        "With vision missing: the share that was recovered of what the sentence tells of the label, from the constant "
        "predictor's error (0) to the exact ceiling of the sentence alone (1). At redundancy 0 there is nothing to "
        "recover: the column has how far the error lies above the constant predictor's, and says if that is "
        "significant (Holm, 5 %): such a method makes up what it cannot know. Each trained with half of the utterances "
        "complete."
    )
    header = ["method", *(f"redundancy {share:.2f}" for share in shares)]
    return Table("laboratory", "What can be recovered, and what is", note, header, [("", lines)], rows)


def _recovered(row: dict[str, Any] | None) -> tuple[str, bool]:
    if row is None:
        return "", False
    if row["recovered"] is None:
        return f"error {row['above_constant']:+.3f}{', makes up' if row['makes_up'] else ''}", False
    return f"{row['recovered']:.2f} [{row['recovered_low']:.2f}, {row['recovered_high']:.2f}]", False


_BOLD = (
    "Bold: the best of the compared methods and all that are not significantly worse (Holm, 5 %); the upper bound is "
    "not compared."
)

_VICTIM_NOTES = {
    "either": (
        "An utterance loses one modality with the given probability, which one by a fair coin, never both: at rate r "
        "each modality is missing at r / 2. Methods of one modality cannot be run."
    ),
    "frames": (
        "Each frame of every clip is lost on its own; at rate 1 vision is missing. Another experiment than the loss of "
        "whole modalities, and not to be compared with it."
    ),
}

# Rows of a summary by method, victim, rate in training and rate at evaluation.
Rows = dict[tuple[str, str, float, float], dict[str, Any]]


def _groups(
    params: Params,
    data: pl.DataFrame,
    metrics: tuple[Metric, ...],
    columns: Sequence[Any],
    find: Callable[[Rows, str, Any], dict[str, Any] | None],
) -> list[tuple[str, list[list[tuple[str, bool]]]]]:
    """For each headline metric a row a method, the ceiling and the constant predictor; `find` says what stands in a
    column."""
    names = [
        ("ceiling", "Ceiling (exact)"),
        *((n, m.label) for n, m in params.methods.items()),
        ("constant", "Constant predictor"),
    ]
    groups = []
    for metric in (m for m in metrics if m.name in _HEADLINE):
        rows: Rows = {
            (row["method"], row["victim"], row["trained"], row["rate"]): row
            for row in data.filter(pl.col("metric") == metric.name).iter_rows(named=True)
        }
        lines = []
        for name, label in names:
            found = [find(rows, name, column) for column in columns]
            if any(found):
                lines.append([(label, False), *(_cell(row) for row in found)])
        groups.append((f"{metric.label} ({'higher' if metric.higher_is_better else 'lower'} is better)", lines))
    return groups


def _cell(row: dict[str, Any] | None) -> tuple[str, bool]:
    if row is None or (row["value"] is None and not row["failed"]):
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
    note = f"{claim['how']} A gain is positive where the claim's side is better. Test: {claim['test']}; {n}."
    data = pl.DataFrame(claim["comparisons"], infer_schema_length=None)
    return Table(f"claim_{claim['id'].lower()}", f"{claim['id']}: {claim['text']}", note, header, [("", lines)], data)


def _gain_cells(c: dict[str, Any]) -> list[tuple[str, bool]]:
    """Gain, interval and p of a comparison."""
    if c["effect"] is None:
        return [("", False)] * 3
    gain = (f"{c['effect']:+.3f}", c["verdict"] == "for")
    return [gain, (f"[{c['low']:+.3f}, {c['high']:+.3f}]", False), (f"{c['p_holm']:.3f}", False)]


def study_table(params: Params, summary: pl.DataFrame, method: str, metric: Metric) -> Table:
    """The variants and sweeps of a method at the study rate."""
    config, rate = params.methods[method], params.protocol.study_rate
    swept = {sweep_name(o, v): f"{o} = {v:g}" for o, values in config.sweeps.items() for v in sorted(values)}
    gridded = {
        grid_name(point): ", ".join(f"{o} = {v:g}" for o, v in point.items())
        for grid in config.grids
        for point in grid_points(grid)
    }
    names = {DEFAULT: "default", **{k: v.label for k, v in config.variants.items()}, **swept, **gridded}
    part = summary.filter(
        pl.col("protocol") == "alike",
        pl.col("method") == method,
        pl.col("rate") == rate,
        pl.col("variant").is_in(list(names)),
        pl.col("victim").is_in(params.protocol.modalities),
    )
    rows = {
        (r["variant"], r["victim"]): {**r, "leads": False}
        for r in part.filter(pl.col("metric") == metric.name).iter_rows(named=True)
    }
    lines = [
        [(label, False), *(_cell(rows.get((variant, v))) for v in params.protocol.modalities)]
        for variant, label in names.items()
    ]
    header = ["variant", *(f"{v} {rate:.0%} missing" for v in params.protocol.modalities)]
    note = f"{metric.label} with 95 % intervals, trained and evaluated at missing rate {rate:g}."
    return Table(f"study_{method}", f"Variants of {config.label}", note, header, [("", lines)], part)


def verdict_table(claims: Mapping[str, list[dict[str, Any]]]) -> Table:
    """The verdict on every claim by corpus, with how many comparisons speak for it, against it and for neither."""
    texts = {claim["id"]: claim["text"] for of_corpus in claims.values() for claim in of_corpus}
    found = {(corpus, claim["id"]): claim for corpus, of_corpus in claims.items() for claim in of_corpus}

    def cell(corpus: str, name: str) -> str:
        claim = found.get((corpus, name))
        if claim is None:
            return ""
        verdicts = [c["verdict"] for c in claim["comparisons"]]
        return f"{claim['verdict']} " + "/".join(str(verdicts.count(v)) for v in ("for", "against", "undecided"))

    rows = [[f"{name}: {text}", *(cell(corpus, name) for corpus in claims)] for name, text in texts.items()]
    header = ["claim", *claims]
    note = (
        "Behind each verdict: comparisons for it / against it / undecided. Empty: judged on the experiment's own "
        "corpus alone."
    )
    lines = [[(text, False) for text in row] for row in rows]
    data = pl.DataFrame(rows, schema=header, orient="row")
    return Table("claims_by_corpus", "Claims by corpus", note, header, [("", lines)], data)


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
    """A LaTeX table as wide as the text, with booktabs and graphicx."""
    n = len(table.header)
    lines = [r"\begin{table*}", r"\centering", f"\\caption{{{_tex(table.title)}. {_tex(table.note)}}}"]
    lines += [f"\\label{{tab:{table.name}}}", r"\resizebox{\textwidth}{!}{%"]
    lines += [f"\\begin{{tabular}}{{l{'r' * (n - 1)}}}", r"\toprule"]
    lines += [" & ".join(_tex(text) for text in table.header) + r" \\"]
    for title, rows in table.groups:
        lines.append(r"\midrule")
        if title:
            lines.append(f"\\multicolumn{{{n}}}{{l}}{{\\emph{{{_tex(title)}}}}} \\\\")
        for row in rows:
            escaped = [(_tex(text), strong) for text, strong in row]
            lines.append(" & ".join(_emphasised(escaped, lambda text: f"\\textbf{{{text}}}")) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", r"\end{table*}", ""])


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
