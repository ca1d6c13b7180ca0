"""What a run found, in a few sentences with effect sizes: the first thing on its page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from trml.evaluation.contract import ALL, REFERENCES, StudyMethod, other_side
from trml.methods.config import DEFAULT
from trml.missing.modalities import written
from trml.report.dataset import Dataset
from trml.report.sections import sentence

_VERDICTS = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}


def findings(data: Dataset) -> list[str]:
    """Return what was found with each single modality missing, at the study rate and in each regime.

    Then how near the best possible is, and a warning of methods that are far behind on complete data.
    """
    if data.study.proposed is None:
        return []
    sentences = [words for each in data.studied for words in _of_dataset(each, data.study.proposed)]
    return sentences + _best(data) + _behind(data)


def _of_dataset(data: Dataset, proposed: StudyMethod) -> Iterator[str]:
    study = data.study
    for victim in study.single_victims:
        present = written(set(study.modalities) - {victim})
        rows = data.pairs.filter(
            pl.col("protocol") == study.training,
            pl.col("victim") == victim,
            pl.col("rate") == study.study_rate,
            pl.col("present") == (ALL if study.study_rate == 1 else present),
            pl.col("metric") == data.primary.name,
        )
        if rows.height:
            yield from _of_victim(data, victim, proposed, list(rows.iter_rows(named=True)))


def _of_victim(data: Dataset, victim: str, proposed: StudyMethod, pairs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the pairs of one condition say."""
    where, regime = f"On test utterances without {victim},", data.study.regime
    if regime:
        where = f"{sentence(regime)}, test utterances without {victim}:"
    if _is_unbeaten("constant", pairs):
        yield (
            f"{where} no method is shown to be better than the constant predictor: what this run measured there are "
            "the features, not the methods."
        )
        return
    # Reference models know what will be missing, so they are no fair company where methods do not.
    for name, label in REFERENCES.items() if data.study.told else ():
        if _is_unbeaten(name, pairs):
            yield f"{where} no method is shown to be better than a linear model ({label[:1].lower()}{label[1:]})."
    labels = {method.name: method.label for method in data.study.methods}
    against: dict[str, list[tuple[str, float]]] = {verdict: [] for verdict in (*_VERDICTS, "undecided")}
    for other, effect, verdict in _compared(proposed.name, pairs):
        if other in labels and verdict in against:
            against[verdict].append((labels[other], effect))
    parts = [
        f"{words} {_named(against[verdict], sized=verdict != 'equivalent')}"
        for verdict, words in _VERDICTS.items()
        if against[verdict]
    ]
    if against["undecided"]:
        parts.append(f"undecided against {len(against['undecided'])} {'more' if parts else 'methods'}")
    if parts:
        yield f"{where} {proposed.label} is {'; '.join(parts)} ({data.primary.label})."


def _is_unbeaten(reference: str, pairs: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether methods were compared with a reference and none was better."""
    verdicts = {row["verdict"] for row in pairs if row["second"] == reference}
    return bool(verdicts) and "better" not in verdicts


def _compared(name: str, pairs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, float, str]]:
    """Yield each other method, the proposed method's gain over it, and the verdict from the proposed method's side."""
    for row in pairs:
        if name == row["first"] and row["effect"] is not None:
            yield row["second"], row["effect"], row["verdict"]
        elif name == row["second"] and row["effect"] is not None:
            yield row["first"], -row["effect"], other_side(row["verdict"])


def _named(others: Sequence[tuple[str, float]], *, sized: bool) -> str:
    ordered = sorted(others, key=lambda each: -abs(each[1])) if sized else others
    return ", ".join(f"{label} ({effect:+.3f})" if sized else label for label, effect in ordered)


def _best(data: Dataset) -> list[str]:
    """Return how near the best method comes to the ceiling with one modality missing everywhere, where it is known."""
    study, metric = data.study, data.primary
    words = []
    for victim in study.single_victims:
        at = data.compared.filter(
            pl.col("victim") == victim,
            pl.col("rate") == 1.0,
            pl.col("metric") == metric.name,
            pl.col("variant") == DEFAULT,
        )
        ceiling = at.filter(pl.col("method") == "ceiling")["value"]
        methods = at.filter(pl.col("role").is_in(["proposed", "baseline"]), pl.col("value").is_not_null())
        if len(ceiling) and methods.height:
            best = methods.sort("value", descending=metric.higher_is_better).row(0, named=True)
            label = study.by_name[best["method"]].label
            words.append(
                f"With all {victim} missing, the best method ({label}) has {metric.label} {best['value']:.3f}; the "
                f"best possible is {ceiling[0]:.3f}."
            )
    return words


def _behind(data: Dataset) -> list[str]:
    """Return a warning of the methods that on complete data are worse than the upper bound by more than the margin."""
    upper = data.study.upper
    if upper is None:
        return []
    rows = data.pairs.filter(
        pl.col("rate") == 0, pl.col("present") == ALL, pl.col("metric") == data.primary.name
    ).unique(("first", "second"), maintain_order=True)
    margins = rows["margin"].drop_nulls().to_list()
    margin = max(margins, default=0.0)  # the same for all, or unknown
    shared = {method.name: method.label for method in data.study.methods if not method.single}
    behind = [
        (shared[other], -effect)
        for other, effect, verdict in _compared(upper.name, list(rows.iter_rows(named=True)))
        if other in shared and verdict == "better" and effect > margin
    ]
    if not behind:
        return []
    return [
        f"On complete data {_named(behind, sized=True)} {'is' if len(behind) == 1 else 'are'} worse than {upper.label} "
        "by more than the margin. Until that is explained, do not take such a row for what the method can do."
    ]
