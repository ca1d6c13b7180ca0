"""C3: each loss term of the proposed method helps."""

from trml.evaluation.claims.common.comparing import ON_MISSING, against_variants
from trml.evaluation.claims.common.judge import Claim, Statement, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the full loss with the loss without each term."""
    statement = Statement(
        "C3",
        f"Each loss term of {proposed.label} helps.",
        f"The full loss against the loss with one term taken out, {evaluation.study.at_study_rate}. {ON_MISSING}",
        ["ablation"],
    )
    return judged(evaluation, statement, list(against_variants(evaluation, proposed, "loss")))
