"""Real and virtual vectors as points in the plane: t-SNE (van der Maaten and Hinton, 2008)."""

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

_SEED = 0


def plane(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return points [N, 2] of vectors [N, h] by their cosine similarities.

    Perplexity is 30, or N / 4 where that is less.
    """
    perplexity = min(30.0, len(vectors) / 4)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    with threadpool_limits(1):  # more threads add in another order
        return TSNE(perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(unit.astype(np.float32))
