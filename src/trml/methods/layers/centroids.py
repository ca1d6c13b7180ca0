"""Missing features as a weighted mean of centroids, the weights from the modality that is there."""

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits
from torch import Tensor, nn
from torch.nn.functional import softplus

from trml.methods.layers.noise import Gaussian

CENTROIDS = 10


class CentroidMean(nn.Module):
    """x^ = C^T w / sum w, w = softplus(m(h) + s(h) noise), C [CENTROIDS, d] found once by `fit`, zeros before."""

    centroids: Tensor

    def __init__(self, hidden: int, features: int) -> None:
        super().__init__()
        self.weights = Gaussian(hidden, CENTROIDS)
        self.register_buffer("centroids", torch.zeros(CENTROIDS, features))

    def fit(self, features: Tensor, seed: int) -> None:
        """Set the centroids to those of k-means on features [n, d].

        Of fewer rows than centroids each is one, in turn until there are enough: a repeated centroid changes no
        mean that the weights could not make without it. Of none, they stay zeros.
        """
        n = len(features)
        if n == 0:
            return
        rows = features.cpu().numpy()
        if n > CENTROIDS:
            with threadpool_limits(limits=1):  # several threads add up in any order, so to other bits
                found = KMeans(CENTROIDS, n_init=10, random_state=seed % 2**32).fit(rows).cluster_centers_
        else:
            found = rows[np.arange(CENTROIDS) % n]
        self.centroids.copy_(torch.from_numpy(found))

    def forward(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """[B, hidden], standard normal numbers [B, CENTROIDS] -> [B, d]."""
        weights = softplus(self.weights(hidden, noise))
        return weights @ self.centroids / weights.sum(dim=-1, keepdim=True).clamp(min=1e-6)
