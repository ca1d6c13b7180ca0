"""S1: the proposed method beats what was submitted. It leaves the tests of the other claims as they are."""

from trml.evaluation.claims.common.comparing import ON_MISSING, gain
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import MATCHED, StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare with every submission, for each modality at each rate."""
    study = evaluation.study
    rate = "the same missing rate, below 1" if study.training == MATCHED else "each rate"
    statement = Statement(
        "S1",
        f"{proposed.label} beats every submitted method, at each rate.",
        f"It is {study.at_rate(rate)}. How the others were trained is on their cards. {ON_MISSING}",
        [f"rates_{victim}" for victim in study.single_victims],
    )
    tests = [
        Test(
            name,
            study.entries[name],
            condition.victim,
            condition.rate,
            gain(evaluation, evaluation.predictions(proposed.name, condition), theirs, evaluation.missing(condition)),
        )
        for condition in evaluation.grid(study.single_victims)
        if condition.trained < 1
        for name, theirs in evaluation.submitted_under(condition).items()
    ]
    return judged(evaluation, statement, tests)
