"""claims.md: the verdict on every claim, and the comparisons behind it."""

from collections.abc import Mapping
from typing import Any

from trml.evaluation.contract import FEWEST_GROUPS, FEWEST_SEEDS
from trml.report.dataset import Dataset
from trml.report.tables.common.table import Table, to_markdown


def table_name(claim: Mapping[str, Any]) -> str:
    """Return the name of the table of a claim's comparisons."""
    return f"claim_{claim['id'].lower()}"


def count_sides(claim: Mapping[str, Any]) -> dict[str, int]:
    """Return how many comparisons speak for a claim, against it or for neither, lack data, or failed."""
    comparisons = claim["comparisons"]
    sides = [c["speaks"] or ("undecided" if c["verdict"] in _DECIDED else c["verdict"]) for c in comparisons]
    return {side: sides.count(side) for side in ("for", "against", "undecided", "too little data", "failed")}


_DECIDED = ("better", "worse", "equivalent", "undecided")


def verdict_words(data: Dataset) -> str:
    """Return what the verdicts mean."""
    enough = ", ".join(claim["id"] for claim in data.claims if claim["needs"] == "any")
    return (
        "Better and worse: the difference is significant. Equivalent: it is shown to be smaller than the margin. "
        "Supported: every comparison speaks for the claim. Refuted: at least one speaks against it. "
        + (f"One comparison is enough to support {enough}; all must speak against it to refute it. " if enough else "")
        + f"Too little data: fewer than {FEWEST_SEEDS} seeds or {FEWEST_GROUPS} groups (videos, speakers, dialogues). "
        "Undecided: anything else."
    )


def claims_page(data: Dataset, tables: Mapping[str, Table]) -> str:
    """Return claims.md.

    Args:
        data: The experiment.
        tables: Every table by name.
    """
    lines = ["# Claims", "", "| claim | verdict | for | against | undecided |", "|---|---|---|---|---|"]
    for claim in data.claims:
        counts = count_sides(claim)
        verdict = f"**{claim['verdict']}** | {counts['for']} | {counts['against']} | {counts['undecided']}"
        lines.append(f"| {claim['id']}: {claim['text']} | {verdict} |")
    lines += ["", f"Judged by {data.primary.label}. {verdict_words(data)}", ""]
    for claim in data.claims:
        table = tables[table_name(claim)]
        shown = ", ".join(f"figures/{name}.svg" for name in claim["figures"])
        lines += [f"## {table.title}", "", *to_markdown(table).splitlines()[2:], "", f"Shown in: {shown}", ""]
    return "\n".join(lines)
