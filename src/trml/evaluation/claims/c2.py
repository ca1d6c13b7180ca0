"""C2: the proposed method comes near the upper bound in Settings A and B."""

import numpy as np

from trml.evaluation.claims.common.comparing import gain, margin_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import margin
from trml.missing.conditions import Condition


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare both settings at each share of complete data with two models, each trained for what is there.

    A bound on complete data alone could not be reached: it lies below the best possible error of what is left.
    """
    upper, single = evaluation.study.upper, evaluation.study.single
    allowed = margin(evaluation, evaluation.primary)
    bound = f"{upper.label} where nothing is missing, {single.label} where something is" if upper and single else ""
    statement = Statement(
        "C2",
        f"{proposed.label} comes near the upper bound.",
        "Trained with a share p complete and evaluated in Settings A and B. The bound is two models, each trained for "
        f"what is there: {bound}. {margin_words(evaluation, allowed)} Against it speaks an interval that lies beyond.",
        ["settings"],
        speaks_for=("equivalent", "better"),
        speaks_against=("worse",),
    )
    tests = []
    for condition in _conditions(evaluation):
        best = _two_models(evaluation, condition)
        if best is None or allowed is None:
            break
        setting = "Setting A" if condition.rate == 1 else "Setting B"
        difference = gain(evaluation, evaluation.predictions(proposed.name, condition), best)
        label = f"two models, {setting}, p = {1 - condition.trained:g}"
        tests.append(Test("two models", label, condition.victim, condition.rate, difference))
    return judged(evaluation, statement, tests)


def _conditions(evaluation: Evaluation) -> list[Condition]:
    study = evaluation.study
    return [
        make(victim, rate)
        for victim in study.single_victims
        for rate in study.setting_rates
        for make in (Condition.setting_a, Condition.matched)
    ]


def _two_models(evaluation: Evaluation, condition: Condition) -> Array | None:
    """Return the predictions [seeds, N] of the upper bound on what is complete and of one modality on the rest."""
    study = evaluation.study
    whole = evaluation.upper_bound
    if whole is None or study.single is None:
        return None
    return np.where(evaluation.missing(condition), evaluation.predictions(study.single.name, condition), whole)
