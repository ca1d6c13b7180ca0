"""Missing features as a weighted mean of centroids. The weights come from a modality that is present."""

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.nn.functional import softplus

from trml.methods.layers.noise import Gaussian

CENTROIDS = 10


def k_means(features: Tensor, seed: int) -> Tensor:
    """Return the centroids [CENTROIDS, d] of features [n, d] by k-means.

    Fewer rows than centroids are the centroids themselves, repeated in turn: a repeated centroid changes no mean that
    the weights could not make without it. No rows give zeros.
    """
    n, d = features.shape
    if n == 0:
        return torch.zeros(CENTROIDS, d)
    rows = features.cpu().numpy()
    if n > CENTROIDS:
        with threadpool_limits(limits=1):  # several threads add up in any order, so to other bits
            centroids = KMeans(CENTROIDS, n_init=10, random_state=seed % 2**32).fit(rows).cluster_centers_
    else:
        centroids = rows[np.arange(CENTROIDS) % n]
    return torch.from_numpy(centroids)


class CentroidMean(nn.Module):
    """x^ = C^T w / sum w, w = softplus(m(h) + s(h) noise), with centroids C [CENTROIDS, d] that start as zeros."""

    centroids: Tensor

    def __init__(self, hidden: int, features: int) -> None:
        super().__init__()
        self.weights = Gaussian(hidden, CENTROIDS)
        self.register_buffer("centroids", torch.zeros(CENTROIDS, features))

    def forward(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """Return made-up features [B, d].

        Args:
            hidden: The present modality's vectors [B, hidden].
            noise: Standard normal numbers [B, CENTROIDS].
        """
        weights = softplus(self.weights(hidden, noise))
        return weights @ self.centroids / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)
