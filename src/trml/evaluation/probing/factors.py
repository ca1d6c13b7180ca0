"""Which latent factors virtual vectors carry, for a generated corpus that knows its own.

The modalities of an utterance have some factors in common; nothing else of one can be told from another. So there is
a best that retrieval can reach. And there is a test of what was carried over: the real vector nearest to a virtual one
should share its level of the common factors, and its level of all others by chance alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trml.evaluation.probing.retrieval import KS, Array

Levels = NDArray[np.int64]


def read_levels(corpus: Path, ids: list[str]) -> dict[str, Levels] | None:
    """Return the levels [N] of each factor for these utterances, None if the corpus knows none."""
    path = corpus / "factors.parquet"
    if not path.is_file():
        return None
    wanted = pl.DataFrame({"utterance_id": ids})
    table = wanted.join(pl.read_parquet(path), on="utterance_id", how="left", maintain_order="left")
    return {name: table[name].to_numpy() for name in table.columns if name != "utterance_id"}


def common_factors(shown_in: Mapping[str, Sequence[str]], victim: str) -> list[str]:
    """Return the factors that show in the victim and in another modality.

    Args:
        shown_in: Factor -> the modalities it shows in.
        victim: A modality.
    """
    return [factor for factor, modalities in shown_in.items() if victim in modalities and len(modalities) > 1]


def best_retrieval(common: Sequence[Levels]) -> dict[str, float]:
    """Return the retrieval that is expected of one who knows the levels of the common factors, and no more.

    Args:
        common: The levels [N] of each common factor. Utterances that share all of them cannot be told apart.
    """
    _, group, size = np.unique(np.stack(common), axis=1, return_inverse=True, return_counts=True)
    same, k = size[group.reshape(-1)], np.arange(1, group.size + 1)
    recall = np.minimum(k[:, None] / same, 1).mean(axis=1)  # R@k for every k
    return {
        **{f"r{k}_best": float(recall[min(k, len(recall)) - 1]) for k in KS},
        "median_rank_best": float(k[recall >= 0.5][0]),
    }


def same_level(similarity: Array, level: Levels) -> tuple[float, float]:
    """Return how often the real vector nearest to a virtual one has its level, and how often any would.

    Args:
        similarity: Cosines [N, N] of virtual vectors to real ones.
        level: [N].
    """
    same = level[:, None] == level[None, :]
    nearest = similarity == similarity.max(axis=1, keepdims=True)
    return float(((same & nearest).sum(axis=1) / nearest.sum(axis=1)).mean()), float(same.mean())


def carried(
    similarity: Array, levels: Mapping[str, Levels], shown_in: Mapping[str, Sequence[str]], victim: str
) -> list[dict[str, Any]]:
    """Return a row for each factor that shows in the victim: factor, common, same, chance."""
    common, rows = common_factors(shown_in, victim), []
    for factor in (factor for factor, modalities in shown_in.items() if victim in modalities):
        same, chance = same_level(similarity, levels[factor])
        rows.append({"factor": factor, "common": factor in common, "same": same, "chance": chance})
    return rows
