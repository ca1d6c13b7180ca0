"""The claims of the paper, and what the results say of each: supported, refuted or undecided."""

from dataclasses import asdict, dataclass
from typing import Any

from trml.evaluation.scores import Condition, Evaluation
from trml.evaluation.statistics import Scores, holm
from trml.plan import DEFAULT

ALPHA = 0.05


@dataclass(frozen=True)
class Comparison:
    """One paired comparison. `effect` is positive where the claim's side is better, in units of the metric; there is
    none where a training of either side failed."""

    against: str
    label: str
    victim: str
    rate: float
    effect: float | None
    low: float | None
    high: float | None
    p: float
    p_holm: float

    @property
    def verdict(self) -> str:
        """`better` or `worse` where Holm's p is under 0.05, else `undecided`; `failed` where a training failed."""
        if self.effect is None:
            return "failed"
        if self.p_holm >= ALPHA:
            return "undecided"
        return "better" if self.effect > 0 else "worse"


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper with the comparisons that decide it."""

    id: str
    text: str
    how: str
    figure: str
    metric: str
    utterances: int
    seeds: int
    resamples: int
    comparisons: list[Comparison]

    def count(self, verdict: str) -> int:
        """How many comparisons came out so."""
        return sum(comparison.verdict == verdict for comparison in self.comparisons)

    @property
    def verdict(self) -> str:
        """Supported if every comparison is better; refuted if any is significantly worse; else undecided."""
        if self.count("worse"):
            return "refuted"
        return "supported" if self.count("better") == len(self.comparisons) else "undecided"

    def to_json(self) -> dict[str, Any]:
        """As it stands in claims.json."""
        return {
            **asdict(self),
            "verdict": self.verdict,
            "comparisons": [{**asdict(c), "verdict": c.verdict} for c in self.comparisons],
        }


def decide(evaluation: Evaluation) -> list[Claim]:
    """Every claim that the experiment can decide."""
    methods = evaluation.plan.params.methods
    proposed = [name for name, method in methods.items() if method.role == "proposed"]
    return [claim for name in proposed for claim in (_c1(evaluation, name), _c3(evaluation, name)) if claim.comparisons]


def _c1(evaluation: Evaluation, proposed: str) -> Claim:
    methods = evaluation.plan.params.methods
    label = methods[proposed].label
    missing = " and with ".join(f"{victim} missing" for victim in evaluation.plan.params.protocol.victims)
    found = []
    for name, method in methods.items():
        if method.role != "baseline":
            continue
        for condition in evaluation.conditions():
            if condition.rate > 0:
                ours = evaluation.predictions(proposed, condition)
                theirs = evaluation.predictions(name, condition)
                found.append((name, method.label, condition, _gain(evaluation, ours, theirs)))
    return _claim(
        evaluation,
        "C1",
        f"{label} beats each baseline with {missing}, at each rate.",
        "Both are trained and evaluated at the same missing rate and judged on the same missing utterances.",
        "rates",
        found,
    )


def _c3(evaluation: Evaluation, proposed: str) -> Claim:
    params = evaluation.plan.params
    method, rate = params.methods[proposed], params.protocol.study_rate
    found = []
    for variant, config in method.variants.items():
        for victim in params.protocol.victims:
            condition = Condition(victim, rate)
            full = evaluation.predictions(proposed, condition, variant=DEFAULT)
            without = evaluation.predictions(proposed, condition, variant=variant)
            found.append((variant, config.label, condition, _gain(evaluation, full, without)))
    return _claim(
        evaluation,
        "C3",
        f"Each loss term of {method.label} helps.",
        f"The full loss against the loss with one term taken out, trained and evaluated at missing rate {rate:g}.",
        "ablation",
        found,
    )


def _gain(evaluation: Evaluation, ours: Any, theirs: Any) -> Scores:
    """How much better ours are, positive where better whichever way the metric points."""
    metric = evaluation.primary
    difference = evaluation.scores(metric, ours) - evaluation.scores(metric, theirs)
    return difference if metric.higher_is_better else -difference


def _claim(
    evaluation: Evaluation, id_: str, text: str, how: str, figure: str, found: list[tuple[str, str, Condition, Scores]]
) -> Claim:
    adjusted = holm([scores.p_value for *_, scores in found])
    comparisons = []
    for (against, label, c, s), p in zip(found, adjusted, strict=True):
        effect, (low, high) = (None, (None, None)) if s.is_failed else (s.value, s.interval)
        comparisons.append(Comparison(against, label, c.victim, c.rate, effect, low, high, s.p_value, p))
    resamples = evaluation.resamples
    return Claim(
        id_,
        text,
        how,
        figure,
        evaluation.primary.name,
        resamples.n,
        resamples.seeds,
        resamples.count,
        comparisons,
    )
