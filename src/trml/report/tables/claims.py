"""The comparisons of each claim, and the verdicts on every corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from trml.report.claims_page import count_sides, table_name
from trml.report.dataset import Dataset
from trml.report.sections import further, sentence
from trml.report.tables.common.table import Cell, Table, plain

_COMPARED = {
    "against": pl.String,
    "label": pl.String,
    "victim": pl.String,
    "rate": pl.Float64,
    **dict.fromkeys(("effect", "low", "high", "p", "p_equivalent", "detectable", "margin"), pl.Float64),
    "verdict": pl.String,
    "speaks": pl.String,
}


_TEST = (
    "A gain is positive where the claim's side is better. p: of a gain other than zero; p equivalent: of a gain within "
    "the margin, by two one-sided tests; both by crossed random effects of seeds and groups, with Holm's correction. "
    "Detectable: the smallest true gain that a test without correction finds in 80 % of cases."
)


def tables(data: Dataset) -> list[Table]:
    """Return one table per claim, also in each regime, and the verdicts of several regimes and corpora side by side."""
    made = [claim_table(claim, i) for i, claim in enumerate(data.claims)]
    for each in data.regimes:
        section = further(each.study) or ""
        of_regime = [claim_table(claim, 100 + i) for i, claim in enumerate(each.claims)]
        made += [replace(table, section=section, name=f"{table.name}{each.suffix}") for table in of_regime]
    compared = {data.card.info.name: data.claims} | {sentence(each.study.regime): each.claims for each in data.regimes}
    compared |= {each.card.info.name: each.claims for each in data.corpora[1:]}
    return [*made, verdict_table(compared)] if len(compared) > 1 else made


def claim_table(claim: Mapping[str, Any], order: int = 0) -> Table:
    """Return the comparisons of a claim, one row each."""
    header = ["against", "victim", "rate", f"gain ({claim['unit']})", "95 % interval", "p", "p equivalent"]
    header += ["detectable", "verdict"]
    lines = [
        [
            *plain([str(c["label"]), c["victim"].replace("_", " "), f"{c['rate']:g}"]),
            *_gain_cells(c),
            *plain([c["verdict"]]),
        ]
        for c in claim["comparisons"]
    ]
    sample = f"{claim['utterances']:,} test utterances in {claim['groups']:,} groups, {claim['seeds']} seeds"
    margins = {c["margin"] for c in claim["comparisons"]} - {None}
    note = f"{claim['how']} {_TEST} {_margin(margins)} {sample[:1].upper()}{sample[1:]}."
    rows = pl.DataFrame(claim["comparisons"], schema_overrides=_COMPARED, infer_schema_length=None)
    title = f"{claim['id']}: {claim['text']}"
    return Table("claims", table_name(claim), title, note, header, [("", lines)], rows.select(list(_COMPARED)), order)


def _margin(margins: set[float]) -> str:
    return f"Margin: {margins.pop():.3f}." if margins else "There is no margin, so nothing is called equivalent."


def _gain_cells(comparison: Mapping[str, Any]) -> list[Cell]:
    """Return gain, interval, p and the minimum detectable effect of a comparison, empty where they are not known."""
    c = comparison
    gain = ("" if c["effect"] is None else f"{c['effect']:+.3f}", c["speaks"] == "for")
    if c["low"] is None:
        return [gain, *plain([""] * 4)]
    tests = [f"{c['p']:.3f}", "" if c["margin"] is None else f"{c['p_equivalent']:.3f}", f"{c['detectable']:.3f}"]
    return [gain, *plain([f"[{c['low']:+.3f}, {c['high']:+.3f}]", *tests])]


def verdict_table(claims: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Return the verdict on every claim in each regime or corpus, with its comparisons for, against and undecided."""
    texts = dict(sorted({claim["id"]: claim["text"] for decided in claims.values() for claim in decided}.items()))
    by_corpus = {(corpus, claim["id"]): claim for corpus, decided in claims.items() for claim in decided}

    def cell(corpus: str, name: str) -> str:
        claim = by_corpus.get((corpus, name))
        if claim is None:
            return ""
        return f"{claim['verdict']} " + "/".join(str(n) for n in list(count_sides(claim).values())[:3])

    texts_by_row = [[f"{name}: {text}", *(cell(corpus, name) for corpus in claims)] for name, text in texts.items()]
    header = ["claim", *claims]
    note = (
        "Behind each verdict: comparisons for the claim / against it / undecided. Empty: the claim is not judged there."
    )
    rows = pl.DataFrame(texts_by_row, schema=dict.fromkeys(header, pl.String), orient="row")
    groups = [("", [plain(row) for row in texts_by_row])]
    return Table("verdicts", "verdicts", "Verdicts", note, header, groups, rows)
