"""C7: an aligned space is what makes the proposed method work: the same vectors, turned, tell."""

from trml.evaluation.claims.common.alignment import aligned_or_not
from trml.evaluation.claims.common.judge import Claim
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the gains over the baselines with those on the same vectors, each modality's space turned.

    Little but the alignment is lost by that: standardising a vector takes out one direction, which is another one after
    a turn.
    """
    through = "the same vectors, each modality's space turned"
    return aligned_or_not(evaluation, proposed, "C7", "rotation", through)
