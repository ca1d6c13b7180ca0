"""C1: the proposed method beats each baseline at each missing rate below 1."""

from trml.evaluation.claims.common.comparing import ON_MISSING, better
from trml.evaluation.claims.common.judge import Claim, Statement, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare with every baseline, for each modality at each rate, in training and at evaluation alike.

    At rate 1 a training never sees the missing modality, so there is nothing to win.
    """
    study = evaluation.study
    missing = " and with ".join(study.pattern(victim).label for victim in study.single_victims)
    statement = Statement(
        "C1",
        f"{proposed.label} beats each baseline with {missing}, at each rate.",
        f"Both are trained and evaluated at the same missing rate, below 1. {ON_MISSING}",
        [f"rates_{victim}" for victim in study.single_victims],
    )
    tests = [
        better(evaluation, baseline.label, condition, proposed.name, baseline.name)
        for baseline in study.baselines
        for condition in evaluation.grid(study.single_victims)
        if condition.rate < 1
    ]
    return judged(evaluation, statement, tests)
