"""The protocol card: what methods see and are told in training, and what they are evaluated with."""

import polars as pl

from trml.evaluation.contract import COMPLETE, Study
from trml.report.dataset import Dataset
from trml.report.sections import sentence
from trml.report.tables.common.table import Table, plain

_HEADER = [
    "regime",
    "missing in training",
    "complete training utterances",
    "labels",
    "shown missing modalities otherwise",
    "missing at evaluation",
]
_NOTE = (
    "Equal missing rates can leave very different shares of complete utterances. Dev and test keep the shares of the "
    "missing rate, and all their labels. Shown otherwise: by modality dropout or masked views, whatever the rate."
)


def tables(data: Dataset) -> list[Table]:
    """Return the one table, a row for the experiment's own dataset and each regime."""
    lines = [_line(each.study) for each in data.studied]
    rows = pl.DataFrame(lines, schema=dict.fromkeys(_HEADER, pl.String), orient="row")
    groups = [("", [plain(line) for line in lines])]
    return [Table("cards", "protocol", "Protocol card", _NOTE, _HEADER, groups, rows, -1)]


def _line(study: Study) -> list[str]:
    labels: dict[str, list[str]] = {}
    for victim in study.victims:
        rates = ", ".join(f"{rate:g}" for rate in study.rates_of(victim))
        labels.setdefault(rates, []).append(study.pattern(victim).label)
    missing = "; ".join(f"{', '.join(of_rates)}: rates {rates}" for rates, of_rates in labels.items())
    complete = study.training == COMPLETE
    return [
        sentence(study.regime) or "The experiment's own",
        "nothing" if complete else missing,
        "all" if complete else "; ".join(_complete_share(study, victim) for victim in study.victims),
        "all" if study.labels is None else str(study.labels),
        "yes" if study.told else "no",
        missing,
    ]


def _complete_share(study: Study, victim: str) -> str:
    """Return the shares of complete utterances over the rates of a pattern, in words."""
    pattern, whole = study.pattern(victim), frozenset(study.modalities)
    shares = []
    for rate in study.rates_of(victim):
        left = pattern.shares(rate, study.modalities)
        shares.append("all, with fewer steps" if left is None else f"{left.get(whole, 0.0):.0%}")
    return f"{victim.replace('_', ' ')}: {', '.join(dict.fromkeys(shares))}"
