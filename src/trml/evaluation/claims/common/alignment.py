"""The proposed method's gains in an aligned space, less those in spaces that are not aligned."""

from collections.abc import Iterator
from itertools import product
from typing import Literal

import numpy as np

from trml.evaluation.claims.common.comparing import ON_MISSING, gain, span
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import MARGIN


def aligned_or_not(
    evaluation: Evaluation, proposed: StudyMethod, id_: str, purpose: Literal["rotation", "alignment"], through: str
) -> Claim:
    """Return the claim that an aligned space is what makes the proposed method work.

    Args:
        evaluation: Of the experiment, whose encoder is aligned.
        proposed: The method.
        id_: Of the claim.
        purpose: Of the datasets whose spaces are not aligned.
        through: What they are, in words.
    """
    upper = evaluation.study.upper
    bound = upper.label if upper else "the upper bound"
    statement = Statement(
        id_,
        f"An aligned space is what makes {proposed.label} work: it gains more than with {through}.",
        "Its gain over each baseline with the aligned encoder, less the same gain with the others, each as a share of "
        f"the way from the constant predictor to {bound} on complete data. {ON_MISSING}",
        [purpose],
    )
    tests = list(_tests(evaluation, proposed, purpose))
    return judged(evaluation, statement, tests, unit="share", allowed=MARGIN)


def _tests(evaluation: Evaluation, proposed: StudyMethod, purpose: str) -> Iterator[Test]:
    for other in (each for each in evaluation.inputs.others if each.study.purpose == purpose):
        apart = Evaluation(other)
        spans = [span(each) for each in (evaluation, apart)]
        if apart.ids != evaluation.ids or not np.array_equal(apart.label, evaluation.label) or None in spans:
            continue
        conditions = apart.grid(other.study.single_victims)
        for baseline, condition in product(other.study.baselines, conditions):
            aligned, unaligned = (
                gain(
                    each,
                    each.predictions(proposed.name, condition),
                    each.predictions(baseline.name, condition),
                    each.missing(condition),
                )
                / whole
                for each, whole in zip((evaluation, apart), spans, strict=True)
                if whole is not None
            )
            label = f"gain over {baseline.label}, aligned less unaligned"
            yield Test(baseline.name, label, condition.victim, condition.rate, aligned - unaligned)
