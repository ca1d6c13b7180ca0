"""C6: the temperature matters, and differently by victim."""

from itertools import combinations

from trml.evaluation.claims.common.comparing import ON_MISSING, gain, margin_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import margin

OPTION = "temperature"


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare each value of the sweep with the default, and the gains of each two victims with each other."""
    default, allowed = proposed.options.get(OPTION), margin(evaluation, evaluation.primary)
    statement = Statement(
        "C6",
        "The temperature matters, and differently by victim.",
        f"Each value against the default {default}, {evaluation.study.at_study_rate}, and the "
        f"difference of those gains between the victims. {ON_MISSING} One difference supports it; it is refuted if all "
        f"lie within the margin. {margin_words(evaluation, allowed)}",
        [f"sweep_{proposed.name}_{OPTION}"],
        speaks_for=("better", "worse"),
        speaks_against=("equivalent",),
        needs="any",
    )
    return judged(evaluation, statement, _tests(evaluation, proposed))


def _tests(evaluation: Evaluation, proposed: StudyMethod) -> list[Test]:
    study, default = evaluation.study, proposed.options.get(OPTION)
    moved = {v.options[OPTION]: v.name for v in proposed.swept(OPTION) if v.options[OPTION] != default}
    tests, gains = [], {}
    for victim in study.single_victims:
        condition = study.condition(victim, study.study_rate)
        for value, variant in moved.items():
            predictions = evaluation.predictions(proposed.name, condition, variant=variant)
            by_default = evaluation.predictions(proposed.name, condition)
            gains[victim, value] = gain(evaluation, predictions, by_default, evaluation.missing(condition))
            how = victim, condition.rate, gains[victim, value]
            tests.append(Test(f"{OPTION}={value:g}", f"{OPTION} {value:g}", *how))
    for first, second in combinations(study.single_victims, 2):
        both = "both" if len(study.single_victims) == 2 else f"{first}, {second}"
        for value in moved:
            label = f"{OPTION} {value:g}, {first} less {second}"
            gap = gains[first, value] - gains[second, value]
            tests.append(Test(f"victims at {value:g}", label, both, study.study_rate, gap))
    return tests
