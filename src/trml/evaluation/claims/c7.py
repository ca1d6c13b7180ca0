"""C7: an aligned space is what makes the proposed method work."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from trml.evaluation.claims.common.comparing import MARGIN, PAIRED, gain, margin
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged, superior
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the gains over the baselines in an aligned space with those in encoders of separate spaces."""
    upper = evaluation.study.upper
    statement = Statement(
        "C7",
        f"An aligned space is what makes {proposed.label} work.",
        "Its gain over each baseline with the aligned encoder, less the same gain with encoders that were trained "
        f"apart, each as a share of the way from {upper.label if upper else 'the upper bound'} on complete data to the "
        "constant predictor.",
        PAIRED,
        ["alignment"],
    )
    return judged(evaluation, statement, list(_tests(evaluation, proposed)))


def _tests(evaluation: Evaluation, proposed: StudyMethod) -> Iterator[Test]:
    for other in (each for each in evaluation.inputs.others if each.study.purpose == "alignment"):
        apart = Evaluation(other)
        if apart.ids != evaluation.ids or not np.array_equal(apart.label, evaluation.label):
            continue
        scales = [(each, 1 / _span(each)) for each in (evaluation, apart)]
        conditions = apart.grid(other.study.single_victims)
        for baseline, condition in product(other.study.baselines, conditions):
            aligned, unaligned = (
                gain(each, each.predictions(proposed.name, condition), each.predictions(baseline.name, condition))
                * scale
                for each, scale in scales
            )
            label = f"gain over {baseline.label}, aligned less unaligned"
            yield superior(baseline.name, label, condition, aligned - unaligned)


def _span(evaluation: Evaluation) -> float:
    """Return the way from the upper bound on complete data to the constant predictor, 1 without an upper bound."""
    near = margin(evaluation, evaluation.study.upper)
    return 1.0 if near is None else near / MARGIN
