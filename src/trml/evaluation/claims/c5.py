"""C5: the proposed method copes with missing frames, or other steps of a sequence."""

from trml.evaluation.claims.common.comparing import EQUIVALENCE, gain, margin, margin_words
from trml.evaluation.claims.common.judge import Claim, Statement, judged, near
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the method with itself on complete data, at each rate of lost steps below 1."""
    study = evaluation.study
    victims = [victim for victim in study.victims if study.pattern(victim).level == "step"]
    allowed, whole = margin(evaluation, proposed), evaluation.on_complete_data(proposed.name)
    statement = Statement(
        "C5",
        f"{proposed.label} copes with missing {' and '.join(victims)}.",
        "Steps of every sequence, such as frames of a clip, are lost at a rate, in training and at evaluation. "
        + margin_words(proposed, allowed),
        EQUIVALENCE,
        [f"rates_{victim}" for victim in victims],
    )
    tests = []
    for condition in evaluation.grid(victims):
        if condition.rate < 1 and whole is not None and allowed is not None:
            difference = gain(evaluation, evaluation.predictions(proposed.name, condition), whole)
            label = f"itself with all {condition.victim}"
            tests.append(near("complete", label, condition, difference, allowed))
    return judged(evaluation, statement, tests)
