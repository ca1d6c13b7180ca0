"""C6: the temperature matters, and differently by victim."""

from itertools import combinations

from trml.evaluation.claims.common.comparing import gain, margin, margin_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, different, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.missing.conditions import Condition

OPTION = "temperature"
TEST = "two-sided paired bootstrap for it, two one-sided tests against it, Holm"


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare each value of the sweep with the default, and the gains of each two victims with each other."""
    default, allowed = proposed.options.get(OPTION), margin(evaluation, proposed)
    statement = Statement(
        "C6",
        "The temperature matters, and differently by victim.",
        f"Each value against the default {default}, at missing rate {evaluation.study.study_rate:g}, and the "
        "difference of those gains between the victims. One significant difference supports it; it is refuted if all "
        f"lie within the margin. {margin_words(proposed, allowed)}",
        TEST,
        [f"sweep_{proposed.name}_{OPTION}"],
        "any",
    )
    return judged(evaluation, statement, [] if allowed is None else _tests(evaluation, proposed, allowed))


def _tests(evaluation: Evaluation, proposed: StudyMethod, allowed: float) -> list[Test]:
    study, default = evaluation.study, proposed.options.get(OPTION)
    moved = {v.options[OPTION]: v.name for v in proposed.swept(OPTION) if v.options[OPTION] != default}
    tests, gains = [], {}
    for victim in study.single_victims:
        condition = Condition.matched(victim, study.study_rate)
        for value, variant in moved.items():
            predictions = evaluation.predictions(proposed.name, condition, variant=variant)
            difference = gain(evaluation, predictions, evaluation.predictions(proposed.name, condition))
            gains[victim, value] = difference
            tests.append(different(f"{OPTION}={value:g}", f"{OPTION} {value:g}", condition, difference, allowed))
    for first, second in combinations(study.single_victims, 2):
        both = Condition.matched("both" if len(study.single_victims) == 2 else f"{first}, {second}", study.study_rate)
        for value in moved:
            label = f"{OPTION} {value:g}, {first} less {second}"
            gap = gains[first, value] - gains[second, value]
            tests.append(different(f"victims at {value:g}", label, both, gap, allowed))
    return tests
