"""C4: virtual modalities carry the meaning of the missing ones."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import polars as pl

from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.metrics.common.metric import Array
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import MARGIN

KS = (1, 5)


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the retrieval of the true partner from a virtual vector with that from the encoder's own features."""
    statement = Statement(
        "C4",
        "Virtual modalities carry the meaning of the missing ones.",
        f"Each complete test utterance's virtual vector of {proposed.label}, trained at missing rate "
        f"{evaluation.study.study_rate:g}, looks for its real partner among all by cosine similarity. So do the "
        "encoder's own features of the other modalities, which no method trained; where these are of another size, a "
        "random order takes their place. Effects are differences of shares.",
        ["virtual_retrieval"],
    )
    return judged(evaluation, statement, list(_tests(evaluation, proposed)), unit="share", allowed=MARGIN)


def _tests(evaluation: Evaluation, proposed: StudyMethod) -> Iterator[Test]:
    study, probes = evaluation.study, evaluation.inputs.probes
    path = probes / "ranks.parquet" if probes else None
    if path is None or not path.is_file():
        return
    ranks = pl.read_parquet(path)
    for victim in study.single_victims:
        part = ranks.filter(pl.col("victim") == victim).sort("seed", "utterance_id")
        of_seed = [group for _, group in part.group_by("seed", maintain_order=True)]
        if len(of_seed) != len(evaluation.seeds) or not of_seed[0].height:
            continue
        n, groups = of_seed[0].height, evaluation.groups_of(of_seed[0]["utterance_id"].to_list())
        rank, raw = (np.stack([group[name].to_numpy() for group in of_seed]) for name in ("rank", "raw_rank"))
        against = "a random order" if np.isnan(raw).any() else "the encoder alone"
        for name, (ours, by_chance, sign) in _measures(n).items():
            theirs = np.full(rank.shape, by_chance) if np.isnan(raw).any() else ours(raw)
            gain = groups.mean(sign * (ours(rank) - theirs))
            yield Test(name, f"{name}, {against}", victim, study.study_rate, gain)


def _measures(n: int) -> dict[str, tuple[Callable[[Array], Array], float, float]]:
    """Return, by name, a measure of ranks among n, what a random order reaches, and the sign of better."""
    return {
        **{f"R@{k}": (partial(_within, k=k), k / n, 1.0) for k in KS},
        "rank as a share": (lambda rank: (rank - 0.5) / n, 0.5, -1.0),
    }


def _within(rank: Array, k: int) -> Array:
    return (rank <= k).astype(float)
