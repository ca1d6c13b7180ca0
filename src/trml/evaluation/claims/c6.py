"""C6: the temperature matters, and differently by victim."""

from collections.abc import Mapping
from itertools import combinations

from trml.evaluation.claims.common.comparing import ON_MISSING, gain, margin_words, other_weights, weight_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod, StudyVariant
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import margin
from trml.methods.config import DEFAULT

OPTION = "temperature"


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare each value with the default, and the gains of each two victims with each other.

    That is done at the chosen weight of the matching loss, and at others where a grid has them.
    """
    default, allowed = proposed.options.get(OPTION), margin(evaluation, evaluation.primary)
    statement = Statement(
        "C6",
        "The temperature matters, and differently by victim.",
        f"Each value against the default {default}, {evaluation.study.at_study_rate}{weight_words(proposed)}, and the "
        f"difference of those gains between the victims. {ON_MISSING} One difference supports it; it is refuted if all "
        f"lie within the margin. {margin_words(evaluation, allowed)}",
        [f"sweep_{proposed.name}_{OPTION}"],
        speaks_for=("better", "worse"),
        speaks_against=("equivalent",),
        needs="any",
    )
    tests = _tests(evaluation, proposed, {v.options[OPTION]: v.name for v in proposed.swept(OPTION)})
    for weight, full in other_weights(proposed):
        at_weight = {v.options[OPTION]: v.name for v in proposed.variants if _moves(v, weight)}
        tests += _tests(evaluation, proposed, at_weight, full, f", weight {weight:g}")
    return judged(evaluation, statement, tests)


def _moves(variant: StudyVariant, weight: float) -> bool:
    """Return whether a point of a grid moves the temperature and, to this value, the weight."""
    return variant.options.keys() == {"weight", OPTION} and variant.options["weight"] == weight


def _tests(
    evaluation: Evaluation, proposed: StudyMethod, variants: Mapping[float, str], full: str = DEFAULT, where: str = ""
) -> list[Test]:
    """Return the tests of variants by their temperature against the one `full` with the default temperature."""
    study, name = evaluation.study, proposed.name
    moved = {value: variant for value, variant in variants.items() if value != proposed.options.get(OPTION)}
    tests, gains = [], {}
    for victim in study.single_victims:
        condition = study.condition(victim, study.study_rate)
        for value, variant in moved.items():
            predictions = evaluation.predictions(name, condition, variant=variant)
            by_default = evaluation.predictions(name, condition, variant=full)
            gains[victim, value] = gain(evaluation, predictions, by_default, evaluation.missing(condition))
            how = victim, condition.rate, gains[victim, value]
            tests.append(Test(f"{OPTION}={value:g}{where}", f"{OPTION} {value:g}{where}", *how))
    for first, second in combinations(study.single_victims, 2):
        both = "both" if len(study.single_victims) == 2 else f"{first}, {second}"
        for value in moved:
            label = f"{OPTION} {value:g}{where}, {first} less {second}"
            gap = gains[first, value] - gains[second, value]
            tests.append(Test(f"victims at {value:g}{where}", label, both, study.study_rate, gap))
    return tests
