"""Comparisons that several claims make."""

from collections.abc import Iterator

import numpy as np

from trml.evaluation.claims.common.judge import Test
from trml.evaluation.contract import StudyMethod
from trml.evaluation.metrics.common.metric import Array, Mask
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import MARGIN, better_by
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition

ON_MISSING = "Judged on the test utterances that lack something."


def gain(evaluation: Evaluation, ours: Array, theirs: Array, counted: Mask | None = None) -> Scores:
    """Return how much better our predictions [seeds, N] are than theirs, on the utterances that are counted."""
    metric = evaluation.primary
    return better_by(metric, *(evaluation.scores(metric, each, counted) for each in (ours, theirs)))


def better(
    evaluation: Evaluation, label: str, condition: Condition, ours: str, theirs: str, their_variant: str = DEFAULT
) -> Test:
    """Return the test of our method against theirs, or against a variant of it, on utterances that lack something."""
    our_predictions = evaluation.predictions(ours, condition)
    their_predictions = evaluation.predictions(theirs, condition, variant=their_variant)
    against = theirs if their_variant == DEFAULT else their_variant
    difference = gain(evaluation, our_predictions, their_predictions, evaluation.missing(condition))
    return Test(against, label, condition.victim, condition.rate, difference)


def against_variants(evaluation: Evaluation, proposed: StudyMethod, kind: str) -> Iterator[Test]:
    """Yield the tests of the default against its variants of a kind, at the study rate."""
    study = evaluation.study
    for variant in (variant for variant in proposed.variants if variant.kind == kind):
        for victim in study.single_victims:
            condition = study.condition(victim, study.study_rate)
            yield better(evaluation, variant.label, condition, proposed.name, proposed.name, variant.name)


def span(evaluation: Evaluation) -> Scores | None:
    """Return how far the upper bound on complete data lies from the constant predictor, None without an upper bound."""
    upper = evaluation.study.upper
    bound = evaluation.on_complete_data(upper.name) if upper else None
    if bound is None or np.isnan(bound).any():
        return None
    return gain(evaluation, bound, evaluation.constant)


def margin_words(evaluation: Evaluation, value: float | None) -> str:
    """Return the sentence that says what counts as near, empty without a margin."""
    upper = evaluation.study.upper
    if upper is None or value is None:
        return ""
    return (
        f"Near is within {value:.3f}: {MARGIN:.0%} of the way from the constant predictor to {upper.label} on complete "
        "data."
    )
