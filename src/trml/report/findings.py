"""What a run found, in a few sentences with effect sizes: the first thing on its page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from trml.evaluation.contract import ALL, StudyMethod, other_side
from trml.methods.config import DEFAULT
from trml.missing.modalities import written
from trml.report.dataset import Dataset

_VERDICTS = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}


def findings(data: Dataset) -> list[str]:
    """Return a sentence for each single missing modality, at the study rate, and how near the best possible is."""
    study = data.study
    if study.proposed is None:
        return []
    sentences: list[str] = []
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
            sentences += _of_victim(data, victim, study.proposed, list(rows.iter_rows(named=True)))
    return sentences + _best(data)


def _of_victim(data: Dataset, victim: str, proposed: StudyMethod, pairs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the pairs of one condition say."""
    where = f"On test utterances that lack {victim}"
    above = {row["first"] for row in pairs if row["second"] == "constant" and row["verdict"] == "better"}
    if not above:
        yield (
            f"{where}, no method is shown to be better than the constant predictor: what this run measured there are "
            "the features, not the methods."
        )
        return
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
        parts.append(f"undecided against {len(against['undecided'])} more")
    if parts:
        yield f"{where}, {proposed.label} is {'; '.join(parts)} ({data.primary.label})."


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
