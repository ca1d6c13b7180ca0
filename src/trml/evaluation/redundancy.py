"""pantomime as a laboratory: what of a missing modality a method recovers, over how much of it is redundant.

In the datasets of this study the face tells all of the label that can be told, and the sentence a share of it, the
redundancy: of the variance that the face explains, the part that the shared factor carries. With vision missing the
part that can be recovered is from the constant predictor's error down to the exact ceiling of the sentence alone. At
redundancy 0 that part is nothing: a method whose error is then significantly above the constant predictor's makes up
what it cannot know.
"""

from typing import Any

import numpy as np

from trml.corpora.pantomime.config import PantomimeConfig, Weights
from trml.corpora.pantomime.factors import LEVELS
from trml.evaluation.ceiling import Ceiling
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import ALPHA, Scores, holm
from trml.missing.conditions import Condition

VICTIM = "vision"

NOTHING = 0.02  # of the label's scale: a smaller recoverable part is none


def redundancy(weights: Weights) -> float:
    """The share of what the face explains of the label's variance that the sentence explains too."""
    shared = weights.shared**2 * float(np.var(LEVELS["shared"]))
    alone = weights.vision_only**2 * float(np.var(LEVELS["vision_only"]))
    return shared / (shared + alone) if shared + alone else 0.0


def laboratory(evaluation: Evaluation) -> list[dict[str, Any]]:
    """One row a dataset of the study x method: error with vision missing, what was recovered, and what was made up."""
    rows = []
    for plan in evaluation.plan.others:
        if plan.study == "redundancy" and isinstance(plan.params.corpus, PantomimeConfig):
            rows += _rows(Evaluation(plan), redundancy(plan.params.corpus.weights))
    return rows


def _rows(evaluation: Evaluation, share: float) -> list[dict[str, Any]]:
    plan, metric = evaluation.plan, evaluation.primary
    ceiling = Ceiling(plan.corpus)
    best, complete = (ceiling.at(metric.name, VICTIM, rate) for rate in (1.0, 0.0))
    constant = evaluation.scores(metric, evaluation.constant)
    assert best is not None and complete is not None
    scores, spread = {}, {}
    for name in plan.params.methods:
        # Trained with half of the utterances complete, so that the methods have seen what goes with what.
        predictions = evaluation.predictions(name, Condition.setting_a(VICTIM, plan.params.protocol.study_rate))
        scores[name] = evaluation.scores(metric, predictions)
        spread[name] = float(predictions.std(axis=1).mean() / evaluation.label.std())
    above = {name: score - constant for name, score in scores.items()}
    p_values = dict(zip(above, holm([gap.p_value for gap in above.values()]), strict=True))
    return [
        {
            "dataset": plan.dataset,
            "redundancy": share,
            "method": name,
            "value": score.value,
            "low": score.interval[0],
            "high": score.interval[1],
            "constant": constant.value,
            "ceiling": best,
            "complete_ceiling": complete,
            **_recovered(constant, score, best),
            "spread": spread[name],
            "above_constant": above[name].value,
            "p_holm": p_values[name],
            "makes_up": bool(above[name].value > 0 and p_values[name] < ALPHA),
        }
        for name, score in scores.items()
        if not score.is_failed
    ]


def _recovered(constant: Scores, score: Scores, best: float) -> dict[str, float | None]:
    """The share of the recoverable part that was recovered, with its interval; none where there is nothing to
    recover."""
    if constant.value - best < NOTHING:
        return {"recovered": None, "recovered_low": None, "recovered_high": None}
    share = (constant - score) * (1 / (constant.value - best))
    low, high = share.interval
    return {"recovered": share.value, "recovered_low": low, "recovered_high": high}
