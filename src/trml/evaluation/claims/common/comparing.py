"""Comparisons that several claims make."""

from collections.abc import Iterator

from trml.evaluation.claims.common.judge import Test, superior
from trml.evaluation.contract import StudyMethod
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import Scores
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition

MARGIN = 0.1  # of the way from a method on complete data to the constant predictor: what counts as near

PAIRED = "paired bootstrap over utterances and seeds, two-sided, Holm"
EQUIVALENCE = "two one-sided tests by the paired bootstrap, Holm"


def gain(evaluation: Evaluation, ours: Array, theirs: Array) -> Scores:
    """Return how much better our predictions [seeds, N] are than theirs, positive whichever way the metric points."""
    metric = evaluation.primary
    difference = evaluation.scores(metric, ours) - evaluation.scores(metric, theirs)
    return difference if metric.higher_is_better else -difference


def better(
    evaluation: Evaluation, label: str, condition: Condition, ours: str, theirs: str, their_variant: str = DEFAULT
) -> Test:
    """Return the test of whether our method is better than theirs, or than a variant of it, under one condition."""
    our_predictions = evaluation.predictions(ours, condition)
    their_predictions = evaluation.predictions(theirs, condition, variant=their_variant)
    against = theirs if their_variant == DEFAULT else their_variant
    return superior(against, label, condition, gain(evaluation, our_predictions, their_predictions))


def against_variants(evaluation: Evaluation, proposed: StudyMethod, kind: str) -> Iterator[Test]:
    """Yield the tests of the default against its variants of a kind, at the study rate."""
    study = evaluation.study
    for variant in (variant for variant in proposed.variants if variant.kind == kind):
        for victim in study.single_victims:
            condition = Condition.matched(victim, study.study_rate)
            yield better(evaluation, variant.label, condition, proposed.name, proposed.name, variant.name)


def margin(evaluation: Evaluation, reference: StudyMethod | None) -> float | None:
    """Return what counts as near, in units of the metric; None if nothing was trained on complete data.

    It is a tenth of the way from the reference's score on complete data to the constant predictor's.
    """
    predictions = evaluation.on_complete_data(reference.name) if reference else None
    if predictions is None:
        return None
    metric = evaluation.primary
    complete, constant = evaluation.scores(metric, predictions), evaluation.constant_scores(metric)
    return MARGIN * abs(complete.value - constant.value)


def margin_words(reference: StudyMethod | None, value: float | None) -> str:
    """Return the sentence that says what counts as near, empty without a margin."""
    if reference is None or value is None:
        return ""
    return (
        f"Near is within {value:.3f}: {MARGIN:.0%} of the way from {reference.label} on complete data to the constant "
        "predictor, a margin chosen by this project."
    )
