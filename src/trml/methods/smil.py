"""SMIL (Ma, Ren, Zhao, Tulyakov, Wu, Peng; AAAI 2021, arXiv 2103.05677): missing features by meta-learning.

Missing features are a weighted mean of k-means centroids. A learned regulariser perturbs the fused features. Bayesian
meta-learning trains both: an inner gradient step moves the main network (towers and head) on utterances that lack a
modality. The outer loss is that of the moved network on the utterances as given. Its gradient, of second order, goes to
the main network and to the two others. docs/methods.md lists the differences from the published form.
"""

import math
from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn.functional import softplus

from trml.base.fields import Count, NotNegative
from trml.methods.contract import (
    AnyBatch,
    Batch,
    Draw,
    Labelled,
    Method,
    Shape,
    complete,
    everyone,
    visible,
    without_one,
)
from trml.methods.layers.centroids import CENTROIDS, CentroidMean, k_means
from trml.methods.layers.fusion import Head, mean_of_present, others
from trml.methods.layers.noise import Gaussian, standard_normal
from trml.methods.layers.towers import mean_step, towers
from trml.methods.losses.reconstruction import squared_error
from trml.methods.losses.task import task_loss

PERTURBED = 16  # directions in which the regulariser perturbs; fixed, since it sets how many draws it takes
MAIN = ("towers.", "head.")  # what the inner step moves


class Regulariser(nn.Module):
    """h softplus(r), with r from N(m(h), s(h)^2) in `PERTURBED` directions. It starts near h."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.sample = Gaussian(hidden, PERTURBED)
        self.directions = nn.Linear(PERTURBED, hidden)
        nn.init.constant_(self.directions.bias, math.log(math.e - 1))  # softplus of it is 1

    def forward(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """Return perturbed vectors [B, hidden], given standard normal numbers [B, PERTURBED]."""
        return hidden * softplus(self.directions(self.sample(hidden, noise)))


class Result(NamedTuple):
    """What the network computes from a batch.

    prediction: [B, outputs]. features: modality -> its made-up features [B, d], of a sequence the mean step. real,
    virtual: modality -> hidden vectors [B, hidden] of the signal and of the made-up features.
    """

    prediction: Tensor
    features: dict[str, Tensor]
    real: dict[str, Tensor]
    virtual: dict[str, Tensor]


class Network(nn.Module):
    """The main network, the one that makes up features and the one that perturbs them.

    For each modality, and each other one as its source, there is one `CentroidMean`.
    """

    def __init__(self, shape: Shape, hidden: int) -> None:
        super().__init__()
        self.sources = {target: others(target, shape.modalities) for target in shape.modalities}
        self.towers = towers(shape.signals, hidden)
        self.imputers = nn.ModuleDict(
            {
                f"{target}_from_{source}": CentroidMean(hidden, shape.signals[target][1])
                for target, sources in self.sources.items()
                for source in sources
            }
        )
        fused = len(shape.signals) * hidden
        self.regularise = Regulariser(fused)
        self.head = Head(fused, shape.outputs, width=2 * hidden)

    def forward(self, batch: AnyBatch, noise: Tensor) -> Result:
        """Return the result for a batch and standard normal numbers [B, noise_size]; zeros give the mean."""
        seen = visible(batch)
        *of_pairs, of_fused = noise.split([CENTROIDS] * len(self.imputers) + [PERTURBED], dim=-1)
        pair_noise = dict(zip(self.imputers, of_pairs, strict=True))
        real = {name: self.towers[name](signal.values, signal.mask) for name, signal in seen.items()}
        features = {}
        for target, sources in self.sources.items():
            pairs = {source: f"{target}_from_{source}" for source in sources}
            made = {source: self.imputers[pair](real[source], pair_noise[pair]) for source, pair in pairs.items()}
            features[target] = mean_of_present(made, seen)
        virtual = {name: self._hidden(name, made) for name, made in features.items()}
        given = [torch.where(seen[name].present.unsqueeze(-1), real[name], virtual[name]) for name in seen]
        return Result(self.head(self.regularise(torch.cat(given, dim=-1), of_fused)), features, real, virtual)

    def _hidden(self, name: str, features: Tensor) -> Tensor:
        """Return the hidden vectors of features [B, d], a sequence of one step."""
        values = features.unsqueeze(-2)
        return self.towers[name](values, torch.ones_like(values[..., 0], dtype=torch.bool))


class SMIL(Method):
    """Meta-learning with made-up features for a missing modality.

    Inner step: theta' = theta - inner_rate grad L_task(reduced; theta). In `reduced` every complete utterance has lost
    one modality, each equally likely; with two modalities, one is left.
    Outer loss: L = L_task(given; theta') + feature_weight sum_m MSE(x^_m, x_m) + hidden_weight sum_m MSE(h^_m, h_m).
    Both errors are on complete utterances; the gradient stops on the real h. Both steps use the same noise.

    x^_m is the mean over the other present modalities of their weighted means of centroids, h^_m its hidden vector.
    """

    tensors = {"inner_rate": NotNegative, "feature_weight": NotNegative, "hidden_weight": NotNegative}

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__()
        self.net = Network(shape, hidden)

    @classmethod
    def draws(cls, shape: Shape, options: Mapping[str, Any]) -> dict[str, Draw]:
        return {"noise": Draw(noise_size(len(shape.signals))), "which": Draw()}

    def prepare(self, complete: Labelled, seed: int) -> None:
        for target, signal in visible(complete).items():
            centroids = k_means(mean_step(signal.values, signal.mask), seed)
            for source in self.net.sources[target]:
                self.net.imputers[f"{target}_from_{source}"].get_buffer("centroids").copy_(centroids)

    def forward(self, batch: AnyBatch) -> Tensor:
        return self._expected(batch).prediction

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        result = self._expected(batch)
        return {name: (result.virtual[name], real) for name, real in result.real.items()}

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        weight = everyone(batch)
        noise, on_complete = standard_normal(batch.draws["noise"]).to(weight.dtype), complete(batch).to(weight.dtype)
        all_rows = torch.ones_like(weight, dtype=torch.bool)
        reduced = Batch(without_one(batch, all_rows, batch.draws["which"].squeeze(-1)), batch.draws)
        main: dict[str, Tensor] = {name: value for name, value in self.net.named_parameters() if name.startswith(MAIN)}

        def inner(weights: dict[str, Tensor]) -> Tensor:
            return task_loss(functional_call(self.net, weights, (reduced, noise)).prediction, batch.label, weight)

        moved = {name: main[name] - options["inner_rate"] * g for name, g in grad(inner)(main).items()}
        result: Result = functional_call(self.net, moved, (batch, noise))
        of_features = [
            squared_error(result.features[name], mean_step(signal.values, signal.mask), on_complete)
            for name, signal in visible(batch).items()
        ]
        of_hidden = [squared_error(result.virtual[name], h.detach(), on_complete) for name, h in result.real.items()]
        task = task_loss(result.prediction, batch.label, weight)
        return (
            task
            + options["feature_weight"] * reduce(add, of_features)
            + options["hidden_weight"] * reduce(add, of_hidden)
        )

    def _expected(self, batch: AnyBatch) -> Result:
        """Return what the network computes from a batch without noise."""
        rows = everyone(batch)
        return self.net(batch, rows.new_zeros(len(rows), noise_size(len(batch.signals))))


def noise_size(modalities: int) -> int:
    """Return how many numbers of noise an utterance takes: those of each ordered pair, and the regulariser's."""
    return modalities * (modalities - 1) * CENTROIDS + PERTURBED
