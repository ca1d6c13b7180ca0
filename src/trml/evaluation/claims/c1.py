"""C1: the proposed method beats each baseline at each missing rate."""

from trml.evaluation.claims.common.comparing import ON_MISSING, better
from trml.evaluation.claims.common.judge import Claim, Statement, judged
from trml.evaluation.contract import MATCHED, StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare with every baseline, for each modality at each rate.

    Where rate 1 is that of the training too, it never sees the missing modality, and there is nothing to win.
    """
    study = evaluation.study
    missing = " and with ".join(study.pattern(victim).label for victim in study.single_victims)
    statement = Statement(
        "C1",
        f"{proposed.label} beats each baseline with {missing}, at each rate.",
        f"Both are {study.at_rate('the same missing rate, below 1' if study.training == MATCHED else 'each rate')}. "
        f"{ON_MISSING}",
        [f"rates_{victim}" for victim in study.single_victims],
    )
    tests = [
        better(evaluation, baseline.label, condition, proposed.name, baseline.name)
        for baseline in study.baselines
        for condition in evaluation.grid(study.single_victims)
        if condition.trained < 1
    ]
    return judged(evaluation, statement, tests)
