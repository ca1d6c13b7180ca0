"""C2: the proposed method comes near the upper bound in Settings A and B."""

from trml.evaluation.claims.common.comparing import gain, margin_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import margin
from trml.missing.conditions import Condition


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare both settings at each share of complete data with the upper bound on complete data."""
    study, upper = evaluation.study, evaluation.study.upper
    allowed = margin(evaluation, evaluation.primary)
    conditions = [
        make(victim, rate)
        for victim in study.single_victims
        for rate in study.setting_rates
        for make in (Condition.setting_a, Condition.matched)
    ]
    statement = Statement(
        "C2",
        f"{proposed.label} comes near the upper bound.",
        "Trained with a share p complete and evaluated in Settings A and B, against training and evaluation on "
        f"complete data. {margin_words(evaluation, allowed)}",
        ["settings"],
        speaks_for=("equivalent", "better"),
        speaks_against=("worse",),
    )
    bound = evaluation.on_complete_data(upper.name) if upper else None
    tests = []
    for condition in conditions:
        if upper is None or bound is None or allowed is None:
            break
        setting = "Setting A" if condition.rate == 1 else "Setting B"
        label = f"{upper.label}, {setting}, p = {1 - condition.trained:g}"
        difference = gain(evaluation, evaluation.predictions(proposed.name, condition), bound)
        tests.append(Test(upper.name, label, condition.victim, condition.rate, difference))
    return judged(evaluation, statement, tests)
