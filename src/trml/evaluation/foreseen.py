"""What a study of some size can find out, before anything is trained."""

from collections.abc import Sequence

from trml.evaluation.contract import FEWEST_GROUPS, FEWEST_SEEDS
from trml.evaluation.statistics import from_squares

# How paired differences between two methods vary, as a rule. Regression: medians over all pairs of methods on
# CMU-MOSI's given features, in units of the constant predictor's mean absolute error. Classification, where hits are
# counted: between what was seen on MELD's texts (0.009 and 0.25) and on 300 posts of MVSA (0.06 and 0.6).
OF_SEED = {"regression": 0.022, "classification": 0.02}  # standard deviation between seeds
OF_ROW = {"regression": 0.34, "classification": 0.4}  # between utterances
SHARED, CORRELATION = 0.2, 0.02  # of the variance between utterances, the share of all seeds and of a group


def detectable(task: str, seeds: int, groups: int, utterances: int) -> float | None:
    """Return the minimum detectable difference between two methods, without correction for several.

    Args:
        task: `regression` or `classification`.
        seeds: Of masks and trainings.
        groups: Videos, speakers or dialogues of the test utterances.
        utterances: Of test.

    Returns:
        A share of the constant predictor's mean absolute error, or of all utterances; None with too few seeds or
        groups.
    """
    if seeds < FEWEST_SEEDS or groups < FEWEST_GROUPS:
        return None
    row = OF_ROW[task] ** 2
    of_seed = OF_SEED[task] ** 2 + row * (1 - SHARED) / utterances
    of_group = row * SHARED / utterances + row * CORRELATION * max(0.0, 1 / groups - 1 / utterances)
    return from_squares(0.0, of_seed * groups, of_group * seeds * groups, seeds, groups).detectable


def detectable_words(task: str, groups: int, utterances: int, seeds: Sequence[int] = (3, 5)) -> str:
    """Return a sentence on what a study can find out with each of these numbers of seeds."""
    size = f"{utterances:,} test utterances in {groups:,} groups"
    if groups < FEWEST_GROUPS:
        return f"Too little data to compare methods: {size}; verdicts need at least {FEWEST_GROUPS} groups."
    if min(seeds) < FEWEST_SEEDS:
        return f"Too few seeds to compare methods: {min(seeds)}; verdicts need at least {FEWEST_SEEDS}."
    least = [f"{detectable(task, n, groups, utterances):.1%} with {n} seeds" for n in seeds]
    what = "of the constant predictor's error" if task == "regression" else "of all utterances"
    return (
        f"With {size}, a difference between two methods is found in 80 % of cases (at 5 %) if it is at least "
        f"{' or '.join(least)}, {what}. Smaller ones mostly stay undecided."
    )
