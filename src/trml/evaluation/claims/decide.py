"""The claims of the paper, each as the comparisons that decide it."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl

from trml.evaluation.claims.judge import Claim, Test, different, judged, near, superior
from trml.evaluation.metrics import Array
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import Resamples, Scores
from trml.methods.config import DEFAULT, sweep_name
from trml.missing.conditions import Condition

MARGIN = 0.1  # of the way from the upper bound on complete data to the constant predictor: what counts as near

PAIRED = "paired bootstrap over utterances and seeds, two-sided, Holm"

EQUIVALENCE = "two one-sided tests by the paired bootstrap, Holm"


def decide(evaluation: Evaluation) -> list[Claim]:
    """Every claim that the experiment can decide."""
    methods = evaluation.plan.params.methods
    name = next((name for name, method in methods.items() if method.role == "proposed"), None)
    if name is None:
        return []
    claims = [make(evaluation, name) for make in (_c1, _c2, _c3, _c3_design, _c4, _c5, _c6, _c7)]
    return [claim for claim in claims if claim.comparisons]


def _c1(evaluation: Evaluation, proposed: str) -> Claim:
    params = evaluation.plan.params
    label = params.methods[proposed].label
    missing = " and with ".join(f"{victim} missing" for victim in params.protocol.modalities)
    tests = [
        _better(evaluation, name, method.label, condition, proposed, name)
        for name, method in params.methods.items()
        if method.role == "baseline"
        for condition in evaluation.grid(params.protocol.modalities)
    ]
    return judged(
        evaluation,
        "C1",
        f"{label} beats each baseline with {missing}, at each rate.",
        "Both are trained and evaluated at the same missing rate and judged on the same missing utterances.",
        PAIRED,
        [f"rates_{victim}" for victim in params.protocol.modalities],
        "all",
        tests,
    )


def _c2(evaluation: Evaluation, proposed: str) -> Claim:
    params = evaluation.plan.params
    upper = next((name for name, method in params.methods.items() if method.role == "upper"), None)
    conditions = [
        make(victim, rate)
        for victim in params.protocol.modalities
        for rate in params.protocol.setting_rates
        for make in (Condition.setting_a, Condition.alike)
    ]
    tests = []
    for condition in conditions if upper else ():
        assert upper is not None
        bound = evaluation.predictions(upper, Condition.alike(condition.victim, 0.0))
        gain = _gain(evaluation, evaluation.predictions(proposed, condition), bound)
        setting = "Setting A" if condition.rate == 1 else "Setting B"
        label = f"{params.methods[upper].label}, {setting}, p = {1 - condition.trained:g}"
        tests.append(near(upper, label, condition, gain, margin(evaluation, upper)))
    return judged(
        evaluation,
        "C2",
        f"{params.methods[proposed].label} comes near the upper bound.",
        "Trained with a share p complete and evaluated in Settings A and B, against training and evaluation on "
        f"complete data. {_margin_words(evaluation, upper)}",
        EQUIVALENCE,
        ["settings"],
        "all",
        tests,
    )


def _c3(evaluation: Evaluation, proposed: str) -> Claim:
    label, rate = evaluation.plan.params.methods[proposed].label, evaluation.plan.params.protocol.study_rate
    return judged(
        evaluation,
        "C3",
        f"Each loss term of {label} helps.",
        f"The full loss against the loss with one term taken out, trained and evaluated at missing rate {rate:g}.",
        PAIRED,
        ["ablation"],
        "all",
        _against_variants(evaluation, proposed, "loss"),
    )


def _c3_design(evaluation: Evaluation, proposed: str) -> Claim:
    """Not a claim of the paper: whether the choices that its text leaves open, and that are ours, are the better
    ones."""
    label, rate = evaluation.plan.params.methods[proposed].label, evaluation.plan.params.protocol.study_rate
    return judged(
        evaluation,
        "C3b",
        f"Each choice of design made here for {label} helps.",
        f"The default against one choice made otherwise, trained and evaluated at missing rate {rate:g}. These "
        "choices are this project's, where the paper's text leaves them open; so is the question.",
        PAIRED,
        ["ablation_design"],
        "all",
        _against_variants(evaluation, proposed, "design"),
    )


def _against_variants(evaluation: Evaluation, proposed: str, of: str) -> list[Test]:
    params = evaluation.plan.params
    return [
        _better(
            evaluation,
            variant,
            config.label,
            Condition.alike(victim, params.protocol.study_rate),
            proposed,
            proposed,
            variant,
        )
        for variant, config in params.methods[proposed].variants.items()
        if config.of == of
        for victim in params.protocol.modalities
    ]


def _c4(evaluation: Evaluation, proposed: str) -> Claim:
    """Retrieval of the true partner from the virtual vector, from the ranks that the analysis left."""
    plan = evaluation.plan
    path = plan.analysis / "ranks.parquet"
    ranks = pl.read_parquet(path) if path.is_file() else pl.DataFrame()
    tests = []
    for victim in plan.params.protocol.modalities if ranks.height else ():
        part = ranks.filter(pl.col("victim") == victim).sort("seed", "utterance_id")
        of_seed = [group for _, group in part.group_by("seed", maintain_order=True)]
        n = of_seed[0].height if of_seed else 0
        if len(of_seed) != len(evaluation.seeds) or n < 10:
            continue
        resamples = Resamples(n, len(of_seed), evaluation.resamples.count, plan.params.seed)
        rank, gap = (
            np.stack([group.select(column).to_series().to_numpy() for group in of_seed]).astype(float)
            for column in (pl.col("rank"), pl.col("diagonal") - pl.col("off_diagonal"))
        )
        measures: dict[str, Array] = {f"R@{k} over chance": (rank <= k).astype(float) - k / n for k in (1, 5)}
        measures |= {"median-rank share under one half": 0.5 - (rank - 0.5) / n, "diagonal over off-diagonal": gap}
        condition = Condition.alike(victim, plan.params.protocol.study_rate)
        tests += [superior(name, name, condition, resamples.mean(values)) for name, values in measures.items()]
    return judged(
        evaluation,
        "C4",
        "Virtual modalities carry the meaning of the missing ones.",
        f"Each complete test utterance's virtual vector of {plan.params.methods[proposed].label}, trained at missing "
        f"rate {plan.params.protocol.study_rate:g}, looks for its real partner among all by cosine similarity. Effects "
        "are shares above chance, and differences of cosines.",
        PAIRED,
        ["virtual_retrieval"],
        "all",
        tests,
    )


def _c5(evaluation: Evaluation, proposed: str) -> Claim:
    params = evaluation.plan.params
    tests = []
    if "frames" in params.protocol.victims:
        whole = evaluation.predictions(proposed, Condition.alike("frames", 0.0))
        bound = margin(evaluation, proposed)
        for condition in evaluation.grid(["frames"]):
            if condition.rate < 1:
                gain = _gain(evaluation, evaluation.predictions(proposed, condition), whole)
                tests.append(near("complete", "itself with every frame", condition, gain, bound))
    return judged(
        evaluation,
        "C5",
        f"{params.methods[proposed].label} copes with missing frames.",
        "Frames of every clip are lost at a rate, in training and at evaluation. "
        + _margin_words(evaluation, proposed),
        EQUIVALENCE,
        ["rates_frames"],
        "all",
        tests,
    )


def _c6(evaluation: Evaluation, proposed: str) -> Claim:
    """The temperature matters: some value is significantly better or worse than the default."""
    params = evaluation.plan.params
    method, rate = params.methods[proposed], params.protocol.study_rate
    values = [v for v in method.sweeps.get("temperature", []) if v != method.options.get("temperature")]
    tests, gains = [], {}
    bound = margin(evaluation, proposed) if values else 0.0
    for victim in params.protocol.modalities if values else ():
        condition = Condition.alike(victim, rate)
        default = evaluation.predictions(proposed, condition)
        for value in values:
            moved = evaluation.predictions(proposed, condition, variant=sweep_name("temperature", value))
            gain = gains[victim, value] = _gain(evaluation, moved, default)
            tests.append(different(f"temperature={value:g}", f"temperature {value:g}", condition, gain, bound))
    if len(params.protocol.modalities) == 2:
        first, second = params.protocol.modalities
        for value in values:
            gap = gains[first, value] - gains[second, value]
            label = f"temperature {value:g}, {first} less {second}"
            tests.append(different(f"victims at {value:g}", label, Condition.alike("both", rate), gap, bound))
    return judged(
        evaluation,
        "C6",
        "The temperature matters, and differently by victim.",
        f"Each value against the default {method.options.get('temperature')}, at missing rate {rate:g}, and the "
        f"difference of those gains between the victims. One significant difference speaks for it; against it speaks "
        f"that all lie within the margin. {_margin_words(evaluation, proposed)}",
        "two-sided paired bootstrap for it, two one-sided tests against it, Holm",
        [f"sweep_{proposed}_temperature"],
        "any",
        tests,
    )


def _c7(evaluation: Evaluation, proposed: str) -> Claim:
    """The gain over the baselines is larger in an aligned space than in encoders of separate spaces."""
    params, tests = evaluation.plan.params, []
    for other in (plan for plan in evaluation.plan.others if plan.study == "alignment"):
        apart = Evaluation(other)
        if apart.ids != evaluation.ids or not np.array_equal(apart.label, evaluation.label):
            continue
        scales = [(e, 1 / _range(e)) for e in (evaluation, apart)]
        baselines = {name: method for name, method in other.params.methods.items() if method.role == "baseline"}
        for (name, method), condition in product(baselines.items(), apart.grid(other.params.protocol.modalities)):
            aligned, unaligned = (
                _gain(e, e.predictions(proposed, condition), e.predictions(name, condition)) * scale
                for e, scale in scales
            )
            label = f"gain over {method.label}, aligned less unaligned"
            tests.append(superior(name, label, condition, aligned - unaligned))
    return judged(
        evaluation,
        "C7",
        f"An aligned space is what makes {params.methods[proposed].label} work.",
        "Its gain over each baseline with the aligned encoder, less the same gain with encoders that were trained "
        "apart, each as a share of the way from Supervised-Double on complete data to the constant predictor.",
        PAIRED,
        ["alignment"],
        "all",
        tests,
    )


def _range(evaluation: Evaluation) -> float:
    """The way from the upper bound on complete data to the constant predictor."""
    methods = evaluation.plan.params.methods
    upper = next((name for name, method in methods.items() if method.role == "upper"), None)
    return margin(evaluation, upper) / MARGIN if upper else 1.0


def margin(evaluation: Evaluation, reference: str) -> float:
    """What counts as near: a tenth of the way from a method's score on complete data to the constant predictor's."""
    complete = evaluation.predictions(reference, Condition.alike(evaluation.plan.params.protocol.modalities[0], 0.0))
    metric = evaluation.primary
    return MARGIN * abs(
        evaluation.scores(metric, complete).value - evaluation.scores(metric, evaluation.constant).value
    )


def _margin_words(evaluation: Evaluation, reference: str | None) -> str:
    if reference is None:
        return ""
    label = evaluation.plan.params.methods[reference].label
    return (
        f"Near is within {margin(evaluation, reference):.3f}: {MARGIN:.0%} of the way from {label} on complete data to "
        "the constant predictor, a margin that we chose."
    )


def _gain(evaluation: Evaluation, ours: Any, theirs: Any) -> Scores:
    """How much better ours are, positive where better whichever way the metric points."""
    metric = evaluation.primary
    difference = evaluation.scores(metric, ours) - evaluation.scores(metric, theirs)
    return difference if metric.higher_is_better else -difference


def _better(
    evaluation: Evaluation,
    against: str,
    label: str,
    condition: Condition,
    ours: str,
    theirs: str,
    their_variant: str = DEFAULT,
) -> Test:
    """Whether our method is better than theirs under the same condition."""
    gain = _gain(
        evaluation,
        evaluation.predictions(ours, condition),
        evaluation.predictions(theirs, condition, variant=their_variant),
    )
    return superior(against, label, condition, gain)
