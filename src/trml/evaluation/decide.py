"""Decide the claims, found by scanning `evaluation/claims`."""

from importlib import import_module

from trml.base.modules import components
from trml.evaluation.claims.common.judge import Claim
from trml.evaluation.predictions import Evaluation


def decide(evaluation: Evaluation) -> list[Claim]:
    """Return every claim that the experiment can decide; none without a proposed method."""
    proposed = evaluation.study.proposed
    if proposed is None:
        return []
    modules = components("evaluation.claims").values()
    claims: list[Claim] = [import_module(module).claim(evaluation, proposed) for module in modules]
    return [claim for claim in claims if claim.comparisons]
