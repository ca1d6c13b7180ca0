"""C4: virtual modalities carry the meaning of the missing ones."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from trml.evaluation.claims.common.comparing import PAIRED
from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged, superior
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.statistics import Resamples
from trml.missing.conditions import Condition

KS = (1, 5)
FEWEST = 10  # utterances; of fewer a retrieval tells nothing


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the retrieval of the true partner from a virtual vector with chance, by the ranks of the probes."""
    statement = Statement(
        "C4",
        "Virtual modalities carry the meaning of the missing ones.",
        f"Each complete test utterance's virtual vector of {proposed.label}, trained at missing rate "
        f"{evaluation.study.study_rate:g}, looks for its real partner among all by cosine similarity. Effects are "
        "shares above chance, and differences of cosines.",
        PAIRED,
        ["virtual_retrieval"],
    )
    return judged(evaluation, statement, list(_tests(evaluation, proposed)))


def _tests(evaluation: Evaluation, proposed: StudyMethod) -> Iterator[Test]:
    study, probes = evaluation.study, evaluation.inputs.probes
    path = probes / "ranks.parquet" if probes else None
    if path is None or not path.is_file():
        return
    ranks = pl.read_parquet(path)
    for victim in study.single_victims:
        part = ranks.filter(pl.col("victim") == victim).sort("seed", "utterance_id")
        of_seed = [group for _, group in part.group_by("seed", maintain_order=True)]
        n = of_seed[0].height if of_seed else 0
        if len(of_seed) != len(evaluation.seeds) or n < FEWEST:
            continue
        resamples = Resamples(n, len(of_seed), evaluation.resamples.count, study.seed)
        rank, gap = (
            np.stack([group.select(column).to_series().to_numpy() for group in of_seed]).astype(float)
            for column in (pl.col("rank"), pl.col("diagonal") - pl.col("off_diagonal"))
        )
        measures = {f"R@{k} over chance": (rank <= k).astype(float) - k / n for k in KS}
        measures |= {"median-rank share under one half": 0.5 - (rank - 0.5) / n, "diagonal over off-diagonal": gap}
        condition = Condition.matched(victim, study.study_rate)
        for name, values in measures.items():
            yield superior(name, name, condition, resamples.mean(values))
