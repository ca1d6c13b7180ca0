"""What virtual vectors carry, where a generated corpus knows the latent levels of its utterances.

Text and clip of pantomime have one factor in common; nothing else of a clip can be told from its sentence, nor the
other way round. So there is a best that retrieval can reach, and a test of what was carried over: the real vector
nearest to a virtual one should have its level of the common factor, and of all others by chance alone.
"""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.corpora.pantomime.factors import SEEN_IN
from trml.evaluation.probing.retrieval import KS, Array

Levels = dict[str, NDArray[np.int64]]

COMMON = next(name for name in SEEN_IN["text"] if name in SEEN_IN["vision"])


def read_levels(corpus: Path, ids: list[str]) -> Levels | None:
    """The levels [N] of each factor for these utterances; None where the corpus knows none."""
    path = corpus / "factors.parquet"
    if not path.is_file():
        return None
    table = pl.DataFrame({"utterance_id": ids}).join(
        pl.read_parquet(path), on="utterance_id", how="left", maintain_order="left"
    )
    return {name: table[name].to_numpy() for name in table.columns if name != "utterance_id"}


def best_retrieval(levels: Levels) -> dict[str, float]:
    """What is expected of one who knows the common level of each utterance: all of that level look the same to him."""
    _, group, size = np.unique(levels[COMMON], return_inverse=True, return_counts=True)
    alike, k = size[group], np.arange(1, len(group) + 1)
    recall = np.minimum(k[:, None] / alike, 1).mean(axis=1)  # R@k for every k
    return {
        **{f"r{k}_best": float(recall[min(k, len(recall)) - 1]) for k in KS},
        "median_rank_best": float(k[recall >= 0.5][0]),
    }


def same_level(similarity: Array, level: NDArray[np.int64]) -> tuple[float, float]:
    """How often the real vector nearest to a virtual one has its level, and how often any would."""
    same = level[:, None] == level[None, :]
    nearest = similarity == similarity.max(axis=1, keepdims=True)
    return float(((same & nearest).sum(axis=1) / nearest.sum(axis=1)).mean()), float(same.mean())


def carried(similarity: Array, levels: Levels, victim: str) -> list[dict[str, object]]:
    """A row for each factor that shows in the victim: factor, same, chance."""
    rows: list[dict[str, object]] = []
    for factor in SEEN_IN[victim]:
        same, chance = same_level(similarity, levels[factor])
        rows.append({"factor": factor, "common": factor == COMMON, "same": same, "chance": chance})
    return rows
