"""C7b: an aligned space is what makes the proposed method work: encoders that were trained apart tell.

Such encoders also hold other things than the aligned one.
"""

from trml.evaluation.claims.common.alignment import aligned_or_not
from trml.evaluation.claims.common.judge import Claim
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the gains over the baselines with those through encoders that were trained apart."""
    return aligned_or_not(evaluation, proposed, "C7b", "alignment", "encoders that were trained apart")
