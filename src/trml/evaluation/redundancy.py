"""How much of a missing modality a method recovers, over how much of it is redundant.

In the datasets of this study the face tells everything that can be told of the label, and the sentence tells a share
of it, the redundancy. With vision missing, the recoverable part runs from the constant predictor's error down to the
exact ceiling of the sentence alone. A method that is worse than one of the sentence alone is misled by what it puts in
place of the face.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from trml.corpora.contract import read_corpus
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.predictions import Evaluation
from trml.evaluation.schemas import REDUNDANCY
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import Verdict, better_by, judge, margin
from trml.missing.conditions import Condition

VICTIM = "vision"
NEGLIGIBLE = 0.02  # of the label's scale: a smaller recoverable part counts as none


def redundancy(evaluation: Evaluation) -> pl.DataFrame | None:
    """Return the rows of redundancy.parquet, None if the experiment has no such datasets."""
    rows: list[dict[str, Any]] = []
    for other in evaluation.inputs.others:
        if other.study.purpose != "redundancy":
            continue
        info, _ = read_corpus(other.corpus)
        if info.redundancy is not None:
            rows += _rows(Evaluation(other), info.redundancy)
    return pl.DataFrame(rows, schema=REDUNDANCY) if rows else None


def _rows(evaluation: Evaluation, share: float) -> Iterator[dict[str, Any]]:
    """Yield a row a method on one dataset."""
    study, metric, ceiling = evaluation.study, evaluation.primary, Ceiling(evaluation.inputs.corpus)
    missing = study.pattern(VICTIM)
    best, complete = (ceiling.at(metric.name, missing, rate, study.modalities) for rate in (1.0, 0.0))
    assert best is not None
    assert complete is not None
    constant = evaluation.constant_scores(metric)
    # Half of the training utterances are complete, so that the methods have seen what goes with what.
    condition = Condition.setting_a(VICTIM, study.study_rate)
    predictions = {name: evaluation.predictions(name, condition) for name in study.by_name}
    scores = {name: evaluation.scores(metric, each) for name, each in predictions.items()}
    against_single = _against_single(evaluation, scores)
    for name, score in scores.items():
        if not score.is_failed:
            yield {
                "dataset": study.dataset,
                "redundancy": share,
                "method": name,
                **score.columns(),
                "constant": constant.value,
                "ceiling": best,
                "complete_ceiling": complete,
                **_recovered(constant, score, best),
                "spread": float(predictions[name].std(axis=1).mean() / evaluation.label.std()),
                "above_constant": (score - constant).value,
                "against_single": against_single.get(name),
            }


def _against_single(evaluation: Evaluation, scores: Mapping[str, Scores]) -> dict[str, Verdict]:
    """Return the verdict on every method against the first one that sees the sentence alone; empty without one."""
    metric = evaluation.primary
    single = evaluation.study.single
    if single is None:
        return {}
    others = [name for name in scores if name != single.name]
    gains = [better_by(metric, scores[name], scores[single.name]) for name in others]
    judged = judge(gains, margin(evaluation, metric))
    return {name: each.verdict for name, each in zip(others, judged, strict=True)}


def _recovered(constant: Scores, score: Scores, best: float) -> dict[str, float | None]:
    """Return the share of the recoverable part that was recovered, with its interval; None if there is no such part."""
    if constant.value - best < NEGLIGIBLE:
        return {"recovered": None, "recovered_low": None, "recovered_high": None}
    share = ((constant - score) * (1 / (constant.value - best))).columns()
    return {"recovered": share["value"], "recovered_low": share["low"], "recovered_high": share["high"]}
