"""claims.md: the verdict on every claim, and the comparisons behind it."""

from collections.abc import Mapping
from typing import Any

from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table, to_markdown

VERDICTS = (
    "Supported: every comparison speaks for the claim, significantly. Refuted: at least one speaks against it. Where "
    "one comparison is enough to support a claim (C6), it is refuted if all speak against it. Undecided: anything else."
)


def table_name(claim: Mapping[str, Any]) -> str:
    """Return the name of the table of a claim's comparisons."""
    return f"claim_{claim['id'].lower()}"


def count_verdicts(claim: Mapping[str, Any]) -> dict[str, int]:
    """Return how many comparisons speak for a claim, against it, for neither, or failed."""
    verdicts = [comparison["verdict"] for comparison in claim["comparisons"]]
    return {verdict: verdicts.count(verdict) for verdict in ("for", "against", "undecided", "failed")}


def claims_page(data: Dataset, tables: Mapping[str, Table]) -> str:
    """Return claims.md.

    Args:
        data: The experiment.
        tables: Every table by name.
    """
    lines = ["# Claims", "", "| claim | verdict | for | against | undecided |", "|---|---|---|---|---|"]
    for claim in data.claims:
        counts = count_verdicts(claim)
        verdict = f"**{claim['verdict']}** | {counts['for']} | {counts['against']} | {counts['undecided']}"
        lines.append(f"| {claim['id']}: {claim['text']} | {verdict} |")
    lines += ["", f"Judged by {data.primary.label}. {VERDICTS}", ""]
    for claim in data.claims:
        table = tables[table_name(claim)]
        shown = ", ".join(f"figures/{name}.png" for name in claim["figures"])
        lines += [f"## {table.title}", "", *to_markdown(table).splitlines()[2:], "", f"Shown in: {shown}", ""]
    return "\n".join(lines)
