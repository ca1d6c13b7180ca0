"""The comparisons of each claim, and the verdicts on every corpus."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from trml.evaluation.contract import MetricInfo
from trml.report.claims_page import table_name
from trml.report.dataset import Dataset
from trml.report.tables.common.table import Cell, Table, plain

_COMPARED = {
    "against": pl.String,
    "label": pl.String,
    "victim": pl.String,
    "rate": pl.Float64,
    **dict.fromkeys(("effect", "low", "high", "p", "p_holm"), pl.Float64),
    "verdict": pl.String,
}


def tables(data: Dataset) -> list[Table]:
    """Return one table per claim and, for several corpora, the verdicts side by side."""
    made = [claim_table(claim, data.primary, i) for i, claim in enumerate(data.claims)]
    if len(data.corpora) > 1:
        made.append(verdict_table({each.card.info.name: each.claims for each in data.corpora}))
    return made


def claim_table(claim: Mapping[str, Any], metric: MetricInfo, order: int = 0) -> Table:
    """Return the comparisons of a claim, one row each."""
    header = ["against", "victim", "rate", f"gain in {metric.label}", "95 % interval", "p (Holm)", "verdict"]
    lines = [
        [
            *plain([str(c["label"]), c["victim"].replace("_", " "), f"{c['rate']:g}"]),
            *_gain_cells(c),
            *plain([c["verdict"]]),
        ]
        for c in claim["comparisons"]
    ]
    sample = f"n = {claim['utterances']} test utterances, {claim['seeds']} seeds, {claim['resamples']} resamples"
    note = f"{claim['how']} A gain is positive where the claim's side is better. Test: {claim['test']}; {sample}."
    rows = pl.DataFrame(claim["comparisons"], schema_overrides=_COMPARED, infer_schema_length=None)
    title = f"{claim['id']}: {claim['text']}"
    return Table("claims", table_name(claim), title, note, header, [("", lines)], rows, order)


def _gain_cells(comparison: Mapping[str, Any]) -> list[Cell]:
    """Return gain, interval and p of a comparison, empty where a training failed."""
    c = comparison
    if c["effect"] is None:
        return plain(["", "", ""])
    gain = (f"{c['effect']:+.3f}", c["verdict"] == "for")
    return [gain, *plain([f"[{c['low']:+.3f}, {c['high']:+.3f}]", f"{c['p_holm']:.3f}"])]


def verdict_table(claims: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Return the verdict on every claim by corpus, with its counts of comparisons for, against and undecided."""
    texts = {claim["id"]: claim["text"] for decided in claims.values() for claim in decided}
    by_corpus = {(corpus, claim["id"]): claim for corpus, decided in claims.items() for claim in decided}

    def cell(corpus: str, name: str) -> str:
        claim = by_corpus.get((corpus, name))
        if claim is None:
            return ""
        verdicts = [c["verdict"] for c in claim["comparisons"]]
        return f"{claim['verdict']} " + "/".join(str(verdicts.count(v)) for v in ("for", "against", "undecided"))

    texts_by_row = [[f"{name}: {text}", *(cell(corpus, name) for corpus in claims)] for name, text in texts.items()]
    header = ["claim", *claims]
    note = (
        "Behind each verdict: comparisons for the claim / against it / undecided. Empty: the claim is not judged on "
        "that corpus."
    )
    rows = pl.DataFrame(texts_by_row, schema=dict.fromkeys(header, pl.String), orient="row")
    groups = [("", [plain(row) for row in texts_by_row])]
    return Table("corpora", "claims_by_corpus", "Claims by corpus", note, header, groups, rows)
