"""SMIL (Ma, Ren, Zhao, Tulyakov, Wu, Peng; AAAI 2021, arXiv 2103.05677): missing features as a weighted mean of
k-means centroids, fused features perturbed by a learned regulariser, both trained by Bayesian meta-learning.

An inner gradient step moves the main network (towers and head) on single-modality utterances; the outer loss is that
of the moved network on the utterances as given, and its gradient, of second order, goes to the main network and to the
two others. docs/methods.md says where this departs from the published form.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn.functional import softplus

from trml.base.fields import Count, NotNegative
from trml.methods.contract import Batch, Method, Shape, visible, without_one
from trml.methods.layers.centroids import CENTROIDS, CentroidMean
from trml.methods.layers.fusion import Head
from trml.methods.layers.noise import Gaussian, standard_normal
from trml.methods.layers.towers import FrameTower, TextTower, mean_frame
from trml.methods.losses.reconstruction import squared_error
from trml.methods.losses.task import task_loss

PERTURBED = 16  # directions in which the regulariser perturbs; fixed, since it sets how many draws it takes

NOISE = (CENTROIDS, CENTROIDS, PERTURBED)  # of the virtual text, of the virtual vision, of the regulariser

MAIN = ("text_tower.", "frame_tower.", "head.")  # what the inner step moves


class Regulariser(nn.Module):
    """h softplus(r), r from N(m(h), s(h)^2) in a few directions; it starts near h."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.sample = Gaussian(hidden, PERTURBED)
        self.directions = nn.Linear(PERTURBED, hidden)
        nn.init.constant_(self.directions.bias, math.log(math.e - 1))  # softplus of it is 1

    def forward(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """[B, hidden], standard normal numbers [B, PERTURBED] -> [B, hidden]."""
        return hidden * softplus(self.directions(self.sample(hidden, noise)))


class Found(NamedTuple):
    """What the network makes of a batch: the prediction [B, outputs]; the virtual text [B, d_t] and the virtual mean
    frame [B, d_v]; the hidden vectors of text and vision [B, hidden], real and virtual."""

    prediction: Tensor
    text: Tensor
    frame: Tensor
    real: tuple[Tensor, Tensor]
    virtual: tuple[Tensor, Tensor]


class Network(nn.Module):
    """The main network, and the two that make up features and perturb them."""

    def __init__(self, shape: Shape, hidden: int) -> None:
        super().__init__()
        self.text_tower = TextTower(shape.text, hidden)
        self.frame_tower = FrameTower(shape.vision, hidden)
        self.text_from_vision = CentroidMean(hidden, shape.text)
        self.frame_from_text = CentroidMean(hidden, shape.vision)
        self.regularise = Regulariser(2 * hidden)
        self.head = Head(2 * hidden, shape.outputs, width=2 * hidden)

    def forward(self, batch: Batch, noise: Tensor) -> Found:
        """noise: standard normal numbers [B, sum(NOISE)]; zeros give the mean."""
        seen = visible(batch)
        of_text, of_frame, of_fused = noise.split(NOISE, dim=-1)
        text, vision = self.text_tower(seen.text), self.frame_tower(seen.frames, seen.frame_mask)
        made_text = self.text_from_vision(vision, of_text)
        made_frame = self.frame_from_text(text, of_frame)
        virtual_text = self.text_tower(made_text)
        clip = made_frame.unsqueeze(-2)  # of one frame
        virtual_vision = self.frame_tower(clip, torch.ones_like(clip[..., 0], dtype=torch.bool))
        given = [
            torch.where(batch.text_present.unsqueeze(-1), text, virtual_text),
            torch.where(batch.vision_present.unsqueeze(-1), vision, virtual_vision),
        ]
        prediction = self.head(self.regularise(torch.cat(given, dim=-1), of_fused))
        return Found(prediction, made_text, made_frame, (text, vision), (virtual_text, virtual_vision))


class SMIL(Method):
    """Inner: theta' = theta - inner_rate grad L_task(single; theta), each utterance with one modality only.
    Outer: L = L_task(given; theta') + feature_weight MSE(x^, x) + hidden_weight MSE(h^, h), both on complete utterances
    and summed over text and vision; the gradient stops on the real h. Both use one draw of the noise.
    """

    tensors = ("inner_rate", "feature_weight", "hidden_weight")
    draws = sum(NOISE) + 1

    def __init__(
        self,
        shape: Shape,
        *,
        hidden: Count,
        inner_rate: NotNegative,
        feature_weight: NotNegative,
        hidden_weight: NotNegative,
    ) -> None:
        super().__init__()
        self.net = Network(shape, hidden)

    def prepare(self, complete: Batch, seed: int) -> None:
        seen = visible(complete)
        self.net.text_from_vision.fit(seen.text, seed)
        self.net.frame_from_text.fit(mean_frame(seen.frames, seen.frame_mask), seed)

    def forward(self, batch: Batch) -> Tensor:
        return self._expected(batch).prediction

    def imagined(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        found = self._expected(batch)
        return dict(zip(("text", "vision"), zip(found.virtual, found.real, strict=True), strict=True))

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        noise = standard_normal(batch.draws[..., :-1]).to(batch.text.dtype)
        complete = (batch.text_present & batch.vision_present).to(noise.dtype)
        everyone = torch.ones_like(complete)
        single = without_one(batch, torch.ones_like(batch.text_present), batch.draws[..., -1] < 0.5)
        main: dict[str, Tensor] = {name: value for name, value in self.net.named_parameters() if name.startswith(MAIN)}

        def inner(weights: dict[str, Tensor]) -> Tensor:
            return task_loss(functional_call(self.net, weights, (single, noise)).prediction, batch.label, everyone)

        moved = {name: main[name] - options["inner_rate"] * g for name, g in grad(inner)(main).items()}
        found: Found = functional_call(self.net, moved, (batch, noise))
        seen = visible(batch)
        features = squared_error(found.text, seen.text, complete) + squared_error(
            found.frame, mean_frame(seen.frames, seen.frame_mask), complete
        )
        pairs = zip(found.virtual, found.real, strict=True)
        hidden = sum(squared_error(virtual, real.detach(), complete) for virtual, real in pairs)
        task = task_loss(found.prediction, batch.label, everyone)
        return task + options["feature_weight"] * features + options["hidden_weight"] * hidden

    def _expected(self, batch: Batch) -> Found:
        """What the network makes of a batch without noise."""
        return self.net(batch, batch.text.new_zeros(len(batch.text), sum(NOISE)))
