"""What a claim is, and how its comparisons decide it: supported, refuted or undecided."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import Scores
from trml.evaluation.verdicts import Judged, Verdict, judge, margin

CROSSED = "crossed random effects of seeds and groups; Holm's correction"


@dataclass(frozen=True)
class Test:
    """A comparison before it is judged.

    Attributes:
        against: What the proposed method is compared with, by name.
        label: The same, for readers.
        victim: The missing pattern.
        rate: Its rate at evaluation.
        gain: How much better the proposed method is.
    """

    against: str
    label: str
    victim: str
    rate: float
    gain: Scores


@dataclass(frozen=True)
class Comparison(Judged):
    """A comparison, judged: against, label, victim and rate are those of the test.

    speaks: Which side of the claim its verdict is on, `for` or `against`; empty if on neither.
    """

    against: str
    label: str
    victim: str
    rate: float
    speaks: str


@dataclass(frozen=True)
class Statement:
    """What a claim says.

    Attributes:
        id: As in `C1`.
        text: The claim, in one sentence.
        how: What is compared, and how it was trained and evaluated.
        figures: Names of the figures that show the comparisons.
        speaks_for: The verdicts of a comparison that speak for the claim.
        speaks_against: Those that speak against it; against a claim that equivalence speaks for, only if the whole
            interval lies beyond the margin.
        needs: `all`: every comparison must speak for it, and one against it refutes it. `any`: one comparison for it
            supports it, and all against it refute it.
    """

    id: str
    text: str
    how: str
    figures: list[str]
    speaks_for: Sequence[Verdict] = ("better",)
    speaks_against: Sequence[Verdict] = ("worse", "equivalent")
    needs: Literal["all", "any"] = "all"


@dataclass(frozen=True)
class Claim(Statement):
    """A statement with the comparisons that decide it.

    Attributes:
        metric: In whose units effects are, by name; empty where they are shares or cosines.
        unit: The same for readers.
        utterances: How many test utterances there are.
        groups: Of how many videos, speakers or dialogues.
        seeds: How many seeds.
        comparisons: Judged.
    """

    metric: str = ""
    unit: str = ""
    utterances: int = 0
    groups: int = 0
    seeds: int = 0
    comparisons: Sequence[Comparison] = ()

    def count(self, side: str) -> int:
        """Return how many comparisons speak `for` or `against`."""
        return sum(comparison.speaks == side for comparison in self.comparisons)

    @property
    def verdict(self) -> str:
        """Supported, refuted, undecided, or too little data."""
        if all(comparison.verdict in ("too little data", "failed") for comparison in self.comparisons):
            return "too little data"
        first, other = ("for", "against") if self.needs == "any" else ("against", "for")
        names = {"for": "supported", "against": "refuted"}
        if self.count(first):
            return names[first]
        return names[other] if self.count(other) == len(self.comparisons) else "undecided"

    def to_json(self) -> dict[str, Any]:
        """Return the claim as claims.json holds it."""
        return {**asdict(self), "verdict": self.verdict}


def judged(
    evaluation: Evaluation,
    statement: Statement,
    tests: Sequence[Test],
    *,
    unit: str | None = None,
    allowed: float | None = None,
) -> Claim:
    """Return a statement judged by its tests.

    Args:
        evaluation: Of the experiment.
        statement: What is claimed.
        tests: Its comparisons.
        unit: Of the effects, for readers; None for the primary metric.
        allowed: The margin of equivalence in that unit; None for the primary metric's, if that is the unit.
    """
    primary = evaluation.primary
    allowed = margin(evaluation, primary) if unit is None else allowed
    comparisons = [
        Comparison(
            **asdict(each),
            against=test.against,
            label=test.label,
            victim=test.victim,
            rate=test.rate,
            speaks=_side(statement, each),
        )
        for test, each in zip(tests, judge([test.gain for test in tests], allowed), strict=True)
    ]
    return Claim(
        **asdict(statement),
        metric=primary.name if unit is None else "",
        unit=primary.label if unit is None else unit,
        utterances=len(evaluation.ids),
        groups=evaluation.groups.count,
        seeds=len(evaluation.seeds),
        comparisons=comparisons,
    )


def _side(statement: Statement, judged: Judged) -> str:
    if judged.verdict in statement.speaks_for:
        return "for"
    if judged.verdict not in statement.speaks_against:
        return ""
    # Against being near speaks what is shown to be farther away than the margin: with more data a difference below it
    # would turn out equivalent.
    is_near = "equivalent" in statement.speaks_for and judged.margin is not None
    return "" if is_near and (judged.high is None or judged.high > -(judged.margin or 0.0)) else "against"
