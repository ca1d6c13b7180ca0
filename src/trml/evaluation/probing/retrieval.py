"""Whether a virtual vector finds its true partner among the real ones."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

KS = (1, 5)


def cosines(a: NDArray[np.floating], b: NDArray[np.floating]) -> Array:
    """Return cosine similarities [N, M] of vectors [N, h] and [M, h]; 0 with a vector of zeros.

    Rounded to 1e-6, so that equal vectors tie whatever the last bits of their products.
    """
    return np.round(_unit(a) @ _unit(b).T, 6)


def _unit(x: NDArray[np.floating]) -> Array:
    x = x.astype(float)
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def ranks(similarity: Array) -> Array:
    """Return the rank [N], from 1, of the partner on the diagonal in each row of similarities [N, N].

    A tie counts at its middle, so that an uninformative virtual vector has the rank (N + 1) / 2.
    """
    own = similarity.diagonal()[:, None]
    return 1 + (similarity > own).sum(axis=1) + ((similarity == own).sum(axis=1) - 1) / 2


def off_diagonal(similarity: Array) -> Array:
    """Return the mean [N] of each row of similarities [N, N] without the partner."""
    return (similarity.sum(axis=1) - similarity.diagonal()) / (len(similarity) - 1)


def summary(similarity: Array) -> dict[str, float]:
    """Return R@k and median rank with what a random order would reach, and mean similarities (columns of RETRIEVAL)."""
    of_partner, n = ranks(similarity), len(similarity)
    return {
        "n": n,
        **{f"r{k}": float((of_partner <= k).mean()) for k in KS},
        "median_rank": float(np.median(of_partner)),
        "diagonal": float(similarity.diagonal().mean()),
        "off_diagonal": float(off_diagonal(similarity).mean()),
        **{f"r{k}_chance": min(k, n) / n for k in KS},
        "median_rank_chance": (n + 1) / 2,
    }
