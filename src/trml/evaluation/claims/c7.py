"""C7: an aligned space is what makes the proposed method work: the same vectors, turned, tell."""

from trml.evaluation.claims.common.alignment import aligned_or_not
from trml.evaluation.claims.common.judge import Claim
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the gains over the baselines with those on the same vectors, each modality's space turned.

    Nothing but the alignment is lost by a rotation.
    """
    through = "the same vectors, each modality's space turned by a rotation of its own"
    return aligned_or_not(evaluation, proposed, "C7", "rotation", through)
