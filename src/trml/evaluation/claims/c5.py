"""C5: the proposed method copes with missing frames, or other steps of a sequence."""

from trml.evaluation.claims.common.comparing import gain, margin_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import margin


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the method with itself on complete data, at each rate of lost steps below 1."""
    study = evaluation.study
    victims = [victim for victim in study.victims if study.pattern(victim).level == "step"]
    allowed, whole = margin(evaluation, evaluation.primary), evaluation.on_complete_data(proposed.name)
    lost = " and ".join(study.pattern(victim).label.removesuffix(" missing") for victim in victims)
    statement = Statement(
        "C5",
        f"{proposed.label} copes with missing {lost}.",
        "Steps of every sequence, such as frames of a clip, are lost at a rate, in training and at evaluation, against "
        f"itself on complete data. {margin_words(evaluation, allowed)} Against it speaks an interval that lies beyond.",
        [f"rates_{victim}" for victim in victims],
        speaks_for=("equivalent", "better"),
        speaks_against=("worse",),
    )
    tests = []
    for condition in evaluation.grid(victims):
        if condition.rate < 1 and whole is not None and allowed is not None:
            difference = gain(evaluation, evaluation.predictions(proposed.name, condition), whole)
            tests.append(Test("complete", "itself with every step", condition.victim, condition.rate, difference))
    return judged(evaluation, statement, tests)
