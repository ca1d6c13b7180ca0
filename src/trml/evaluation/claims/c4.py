"""C4: virtual modalities carry the meaning of the missing ones."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from trml.evaluation.claims.common.judge import Claim, Statement, Test, judged
from trml.evaluation.contract import StudyMethod
from trml.evaluation.predictions import Evaluation
from trml.evaluation.verdicts import MARGIN


def claim(evaluation: Evaluation, proposed: StudyMethod) -> Claim:
    """Compare the retrieval of the true partner from a virtual vector with that from the encoder's own features."""
    statement = Statement(
        "C4",
        "Virtual modalities carry the meaning of the missing ones.",
        f"Each complete test utterance's virtual vector of {proposed.label}, trained at missing rate "
        f"{evaluation.study.study_training_rate:g}, looks for its real partner among all by cosine similarity. So do "
        "the encoder's own features of the other modalities, which no method trained; where these are of another size, "
        "a random order takes their place. Scored is the share of the others that the partner is ranked above.",
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
        is_known = not np.isnan(raw).any()
        # The share of the others that the partner is ranked above; 0.5 in a random order.
        above, by_others = 1 - (rank - 0.5) / n, 1 - (raw - 0.5) / n if is_known else 0.5
        label = "the encoder alone" if is_known else "a random order"
        yield Test("rank", label, victim, study.study_rate, groups.mean(above - by_others))
