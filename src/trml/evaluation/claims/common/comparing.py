"""Comparisons that several claims make."""

from collections.abc import Iterator

from trml.evaluation.claims.common.judge import Test
from trml.evaluation.contract import StudyMethod
from trml.evaluation.metrics.common.metric import Array, Mask
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import MARGIN, better_by
from trml.methods.config import DEFAULT
from trml.missing.conditions import Condition

WEIGHTS = (0.1, 0.5)  # of the matching loss: claims about it are judged there too
ON_MISSING = "Judged on the test utterances that lack something."


def gain(evaluation: Evaluation, ours: Array, theirs: Array, counted: Mask | None = None) -> Scores:
    """Return how much better our predictions [seeds, N] are than theirs, on the utterances that are counted."""
    metric = evaluation.primary
    return better_by(metric, *(evaluation.scores(metric, each, counted) for each in (ours, theirs)))


def better(
    evaluation: Evaluation,
    label: str,
    condition: Condition,
    ours: str,
    theirs: str,
    their_variant: str = DEFAULT,
    our_variant: str = DEFAULT,
) -> Test:
    """Return the test of our method against theirs, or of variants of them, on utterances that lack something."""
    our_predictions = evaluation.predictions(ours, condition, variant=our_variant)
    their_predictions = evaluation.predictions(theirs, condition, variant=their_variant)
    against = theirs if their_variant == DEFAULT else their_variant
    difference = gain(evaluation, our_predictions, their_predictions, evaluation.missing(condition))
    return Test(against, label, condition.victim, condition.rate, difference)


def other_weights(proposed: StudyMethod) -> list[tuple[float, str]]:
    """Return the further weights of the matching loss at which claims are judged, each with the variant that has it.

    What the search chose is one value, and an ablation at a small weight cannot show much.
    """
    chosen = proposed.options.get("weight")
    moved = {weight: proposed.moving({"weight": weight}) for weight in WEIGHTS if weight != chosen}
    return [(weight, variant.name) for weight, variant in moved.items() if variant]


def weight_words(proposed: StudyMethod) -> str:
    """Return at which weights of the matching loss a claim is judged, in words; empty where it is the chosen one."""
    others = [f"{weight:g}" for weight, _ in other_weights(proposed)]
    return f", at the chosen weight of the matching loss and at {' and '.join(others)}" if others else ""


def against_variants(evaluation: Evaluation, proposed: StudyMethod, kind: str) -> Iterator[Test]:
    """Yield the tests of the default against its variants of a kind, at the study rate."""
    study = evaluation.study
    for variant in (variant for variant in proposed.variants if variant.kind == kind):
        for victim in study.single_victims:
            condition = study.condition(victim, study.study_rate)
            yield better(evaluation, variant.label, condition, proposed.name, proposed.name, variant.name)


def span(evaluation: Evaluation) -> Scores | None:
    """Return how far the upper bound on complete data lies from the constant predictor, None without an upper bound."""
    bound = evaluation.upper_bound
    return None if bound is None else gain(evaluation, bound, evaluation.constant)


def margin_words(evaluation: Evaluation, value: float | None) -> str:
    """Return the sentence that says what counts as near, empty without a margin."""
    upper = evaluation.study.upper
    if upper is None or value is None:
        return ""
    return (
        f"Near is within {value:.3f}: {MARGIN:.0%} of the way from the constant predictor to {upper.label} on complete "
        "data."
    )
