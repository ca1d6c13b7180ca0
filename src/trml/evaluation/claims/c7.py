"""C7: an aligned space is what makes the proposed method work."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from trml.evaluation.claims.common.comparing import ON_MISSING, gain, span
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import MARGIN


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the gains over the baselines in an aligned space with those in encoders of separate spaces."""
    upper = evaluation.study.upper
    bound = upper.label if upper else "the upper bound"
    statement = Statement(
        "C7",
        f"An aligned space is what makes {proposed.label} work.",
        "Its gain over each baseline with the aligned encoder, less the same gain with encoders that were trained "
        f"apart, each as a share of the way from the constant predictor to {bound} on complete data. {ON_MISSING}",
        ["alignment"],
    )
    return judged(evaluation, statement, list(_tests(evaluation, proposed)), unit="share", allowed=MARGIN)


def _tests(evaluation: Evaluation, proposed: StudyMethod) -> Iterator[Test]:
    for other in (each for each in evaluation.inputs.others if each.study.purpose == "alignment"):
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
