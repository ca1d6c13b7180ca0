"""What a claim is, and how its comparisons decide it: supported, refuted or undecided."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import ALPHA, Scores, holm, p_beyond, p_within
from trml.missing.conditions import Condition


@dataclass(frozen=True)
class Comparison:
    """One paired comparison, judged.

    Attributes:
        against: What the proposed method is compared with, by name.
        label: The same, for readers.
        victim: The missing pattern.
        rate: Its rate at evaluation.
        effect: In units of the metric, positive where the claim's side is better; None if a training failed.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: The smaller of the p-values for and against the claim.
        p_holm: The same after Holm's correction over the claim's comparisons.
        verdict: `for` or `against` if that side's p_holm is below 0.05, else `undecided`; `failed` if a training did.
    """

    against: str
    label: str
    victim: str
    rate: float
    effect: float | None
    low: float | None
    high: float | None
    p: float
    p_holm: float
    verdict: str


@dataclass(frozen=True)
class Test:
    """A comparison before it is judged, with the p-values of both sides."""

    against: str
    label: str
    victim: str
    rate: float
    scores: Scores
    p_for: float
    p_against: float


@dataclass(frozen=True)
class Statement:
    """What a claim says.

    Attributes:
        id: As in `C1`.
        text: The claim, in one sentence.
        how: What is compared, and how it was trained and evaluated.
        test: The statistical test, in words.
        figures: Names of the figures that show the comparisons.
        needs: `all`: every comparison must speak for it, and one against it refutes it. `any`: one comparison for it
            supports it, and all against it refute it.
    """

    id: str
    text: str
    how: str
    test: str
    figures: list[str]
    needs: Literal["all", "any"] = "all"


@dataclass(frozen=True)
class Claim(Statement):
    """A statement with the comparisons that decide it."""

    metric: str = ""
    utterances: int = 0
    seeds: int = 0
    resamples: int = 0
    comparisons: Sequence[Comparison] = ()

    def count(self, verdict: str) -> int:
        """Return how many comparisons have this verdict."""
        return sum(comparison.verdict == verdict for comparison in self.comparisons)

    @property
    def verdict(self) -> str:
        """Supported, refuted or undecided."""
        first, other = ("for", "against") if self.needs == "any" else ("against", "for")
        names = {"for": "supported", "against": "refuted"}
        if self.count(first):
            return names[first]
        return names[other] if self.count(other) == len(self.comparisons) else "undecided"

    def to_json(self) -> dict[str, Any]:
        """Return the claim as claims.json holds it."""
        return {**asdict(self), "verdict": self.verdict}


def superior(against: str, label: str, condition: Condition, gain: Scores) -> Test:
    """Return a test of better: a gain above zero speaks for the claim, one below zero against it."""
    p = gain.p_value
    p_for, p_against = (p, 1.0) if gain.value > 0 else (1.0, p)
    return Test(against, label, condition.victim, condition.rate, gain, p_for, p_against)


def near(against: str, label: str, condition: Condition, gain: Scores, margin: float) -> Test:
    """Return a test of as good: a gain within the margin speaks for the claim, one below it against it."""
    how = condition.victim, condition.rate
    return Test(against, label, *how, gain, p_within(gain, margin), p_beyond(gain, margin))


def different(against: str, label: str, condition: Condition, gain: Scores, margin: float) -> Test:
    """Return a test of different: a gain other than zero speaks for the claim, one within the margin against it."""
    how = condition.victim, condition.rate
    return Test(against, label, *how, gain, gain.p_value, p_within(gain, margin))


def judged(evaluation: Evaluation, statement: Statement, tests: Sequence[Test]) -> Claim:
    """Return a statement judged by its tests, each side's p-values corrected for all of them."""
    speaks_for, speaks_against = (holm([pick(test) for test in tests]) for pick in _SIDES)
    resamples = evaluation.resamples
    return Claim(
        **asdict(statement),
        metric=evaluation.primary.name,
        utterances=resamples.n,
        seeds=resamples.seeds,
        resamples=resamples.count,
        comparisons=[_judged(test, *p) for test, *p in zip(tests, speaks_for, speaks_against, strict=True)],
    )


_SIDES: tuple[Callable[[Test], float], ...] = (lambda test: test.p_for, lambda test: test.p_against)


def _judged(test: Test, p_for: float, p_against: float) -> Comparison:
    about = test.against, test.label, test.victim, test.rate
    if test.scores.is_failed:
        return Comparison(*about, None, None, None, 1.0, 1.0, "failed")
    verdict = "for" if p_for < ALPHA else "against" if p_against < ALPHA else "undecided"
    smaller = (test.p_against, p_against) if test.p_against < test.p_for else (test.p_for, p_for)
    return Comparison(*about, test.scores.value, *test.scores.interval, *smaller, verdict)
