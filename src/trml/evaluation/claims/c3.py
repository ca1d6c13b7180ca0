"""C3: each loss term of the proposed method helps."""

from collections.abc import Iterator

from trml.evaluation.claims.common.comparing import ON_MISSING, against_variants, better, other_weights, weight_words
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the full loss with the loss without each term, at the chosen weight and at others."""
    weights = weight_words(proposed)
    statement = Statement(
        "C3",
        f"Each loss term of {proposed.label} helps.",
        f"The full loss against the loss with one term taken out, {evaluation.study.at_study_rate}{weights}. "
        f"{ON_MISSING}",
        ["ablation"],
    )
    tests = [*against_variants(evaluation, proposed, "loss"), *_at_other_weights(evaluation, proposed)]
    return judged(evaluation, statement, tests)


def _at_other_weights(evaluation: Evaluation, proposed: StudyMethod) -> Iterator[Test]:
    """Yield the tests of the terms of the matching loss at its other weights, where a grid has them."""
    study = evaluation.study
    terms = {v.label: v.options for v in proposed.variants if v.kind == "loss" and "weight" not in v.options}
    for weight, full in other_weights(proposed):
        moved = {"without L_sml": {"weight": 0.0}, **{k: {"weight": weight, **v} for k, v in terms.items()}}
        for label, options in moved.items():
            without = proposed.moving(options)
            for victim in study.single_victims if without else ():
                assert without is not None
                condition, name = study.condition(victim, study.study_rate), proposed.name
                yield better(evaluation, f"{label}, weight {weight:g}", condition, name, name, without.name, full)
