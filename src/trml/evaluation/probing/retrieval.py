"""Whether a virtual vector finds its true partner among the real ones."""

import numpy as np
from numpy.typing import NDArray

from trml.features.contract import FeatureSet, View

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


def raw_ranks(features: FeatureSet, victim: str, rows: NDArray[np.int64]) -> Array | None:
    """Return the rank [N] of each utterance's own vector when the encoder's features of the others look for it.

    Args:
        features: Of all utterances.
        victim: The modality that is looked for, by the mean of its steps.
        rows: The utterances [N], which have every modality. They are looked for with the mean of all other modalities.

    Returns:
        None where the modalities have features of different sizes.
    """
    means = {name: _mean_step(view, rows) for name, view in features.signals.items()}
    if len({mean.shape[1] for mean in means.values()}) > 1:
        return None
    others = [_unit(mean) for name, mean in means.items() if name != victim]
    return ranks(cosines(np.sum(others, axis=0), means[victim]))


def _mean_step(view: View, rows: NDArray[np.int64]) -> Array:
    mask = view.mask[rows][..., None]
    return np.asarray((np.asarray(view.values[rows], dtype=float) * mask).sum(axis=1) / mask.sum(axis=1))


def off_diagonal(similarity: Array) -> Array:
    """Return the mean [N] of each row of similarities [N, N] without the partner."""
    return (similarity.sum(axis=1) - similarity.diagonal()) / (len(similarity) - 1)


def summary(similarity: Array, raw: Array | None = None) -> dict[str, float]:
    """Return R@k and median rank with what a random order would reach, and mean similarities (columns of RETRIEVAL).

    `raw` are the ranks [N] by the encoder's own features, None if there are none.
    """
    of_partner, n = ranks(similarity), len(similarity)
    by_encoder = {} if raw is None else {f"{name}_raw": value for name, value in _recall(raw).items()}
    return {
        "n": n,
        **_recall(of_partner),
        **by_encoder,
        "diagonal": float(similarity.diagonal().mean()),
        "off_diagonal": float(off_diagonal(similarity).mean()),
        **{f"r{k}_chance": min(k, n) / n for k in KS},
        "median_rank_chance": (n + 1) / 2,
    }


def _recall(of_partner: Array) -> dict[str, float]:
    """Return R@k and the median of ranks."""
    return {**{f"r{k}": float((of_partner <= k).mean()) for k in KS}, "median_rank": float(np.median(of_partner))}
