"""What a claim is, and how its comparisons decide it: supported, refuted or undecided."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import ALPHA, Scores, holm, p_beyond, p_within
from trml.missing.conditions import Condition


@dataclass(frozen=True)
class Comparison:
    """One paired comparison. `effect` is positive where the claim's side is better, in units of the metric; there is
    none where a training of either side failed. `verdict`: `for` or `against` the claim where Holm's p is under 0.05,
    else `undecided`; `failed` where a training failed."""

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
    """A comparison before it is judged: two p-values, one that speaks for the claim and one that speaks against it."""

    against: str
    label: str
    victim: str
    rate: float
    scores: Scores
    p_for: float
    p_against: float


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper with the comparisons that decide it.

    figures: the names of those that show the comparisons.
    needs: `all` comparisons must speak for it, and one against it refutes it; or `any` one for it supports it, and all
    against it refute it.
    """

    id: str
    text: str
    how: str
    test: str
    figures: list[str]
    metric: str
    utterances: int
    seeds: int
    resamples: int
    needs: Literal["all", "any"]
    comparisons: list[Comparison]

    def count(self, verdict: str) -> int:
        """How many comparisons came out so."""
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
        """As it stands in claims.json."""
        return {**asdict(self), "verdict": self.verdict}


def superior(against: str, label: str, condition: Condition, gain: Scores) -> Test:
    """A gain above zero speaks for the claim, one below zero against it."""
    p = gain.p_value
    p_for, p_against = (p, 1.0) if gain.value > 0 else (1.0, p)
    return Test(against, label, condition.victim, condition.rate, gain, p_for, p_against)


def near(against: str, label: str, condition: Condition, gain: Scores, bound: float) -> Test:
    """A gain within the margin speaks for the claim, one below it against it."""
    how = condition.victim, condition.rate
    return Test(against, label, *how, gain, p_within(gain, bound), p_beyond(gain, bound))


def different(against: str, label: str, condition: Condition, gain: Scores, bound: float) -> Test:
    """A gain other than zero speaks for the claim, one within the margin against it."""
    how = condition.victim, condition.rate
    return Test(against, label, *how, gain, gain.p_value, p_within(gain, bound))


def judged(
    evaluation: Evaluation,
    id_: str,
    text: str,
    how: str,
    test: str,
    figures: list[str],
    needs: Literal["all", "any"],
    tests: Sequence[Test],
) -> Claim:
    """Judge the tests, each side corrected for all of them."""
    speaks_for, speaks_against = (holm([pick(t) for t in tests]) for pick in _SIDES)
    resamples = evaluation.resamples
    return Claim(
        id_,
        text,
        how,
        test,
        figures,
        evaluation.primary.name,
        resamples.n,
        resamples.seeds,
        resamples.count,
        needs,
        [_judged(t, *p) for t, *p in zip(tests, speaks_for, speaks_against, strict=True)],
    )


_SIDES: tuple[Callable[[Test], float], ...] = (lambda t: t.p_for, lambda t: t.p_against)


def _judged(test: Test, p_for: float, p_against: float) -> Comparison:
    about = test.against, test.label, test.victim, test.rate
    if test.scores.is_failed:
        return Comparison(*about, None, None, None, 1.0, 1.0, "failed")
    verdict = "for" if p_for < ALPHA else "against" if p_against < ALPHA else "undecided"
    smaller = (test.p_against, p_against) if test.p_against < test.p_for else (test.p_for, p_for)
    return Comparison(*about, test.scores.value, *test.scores.interval, *smaller, verdict)
