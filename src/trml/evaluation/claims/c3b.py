"""C3b: each design choice made by this project helps.

The paper does not claim it: its text leaves these choices open.
"""

from trml.evaluation.claims.common.comparing import ON_MISSING, against_variants
from trml.evaluation.claims.common.judge import Claim, Statement, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the default with each design choice made otherwise."""
    statement = Statement(
        "C3b",
        f"Each choice of design made here for {proposed.label} helps.",
        f"The default against one choice made otherwise, {evaluation.study.at_study_rate}. {ON_MISSING} The choices "
        "and the question are this project's: the paper's text leaves them open.",
        ["ablation_design"],
    )
    return judged(evaluation, statement, list(against_variants(evaluation, proposed, "design")))
