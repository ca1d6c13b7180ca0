"""TRML (Zhao, Poria, Li, Chen, Tang; arXiv 2401.13697): virtual modalities and semantic matching.

Known from the paper: features of one CLIP-like space, a recurrent encoder over the frames, a virtual modality made
from the available one in place of the missing one, in training and at inference, and a loss
L = L_task + weight L_sml with a temperature. The generator, the masked views and the choice of matched rows are our
reconstruction, and so is the form for more than two modalities. docs/methods.md says which part is whose.
"""

from functools import reduce
from operator import add
from typing import Literal

import torch
from torch import Tensor

from trml.base.fields import Count, NotNegative, Positive, Share
from trml.methods.contract import AnyBatch, Labelled, Method, Shape, complete, everyone, visible
from trml.methods.layers.virtual import Encoded, VirtualModalityNetwork
from trml.methods.losses.matching import MATCHING
from trml.methods.losses.task import task_loss

SWITCHES = {"text": "use_l_t", "vision": "use_l_v", "audio": "use_l_a"}


class TRML(Method):
    """Virtual modalities with semantic matching.

    L = L_task + beta L_views + weight sum_m w_m use_m l_m.

    L_task is on the utterance as given, with the virtual vector in place of a missing one. L_views, on complete
    utterances, is the mean over modalities of the task loss with that modality dropped. l_m matches virtual to real
    vectors of m on complete utterances at `temperature`. w_m is alpha for vision, and the others share 1 - alpha
    evenly. Without vision, all share 1 evenly. `detach` stops the gradient on the real side.

    An ablation sets use_m (`use_l_t`, `use_l_v`, `use_l_a`) from 1 to 0, which removes that term alone. If some steps
    of a modality are missing, its real and virtual vectors are mixed by the share of present steps.
    """

    tensors = {
        "temperature": Positive,
        "weight": NotNegative,
        "alpha": Share,
        "beta": NotNegative,
        "use_l_v": Share,
        "use_l_t": Share,
        "use_l_a": Share,
    }

    def __init__(
        self,
        shape: Shape,
        *,
        hidden: Count,
        generator: Literal["residual_mlp", "linear", "identity", "prompt", "zeros"],
        matching: Literal["symmetric", "one_direction", "similarity_kl", "cosine", "regression"],
        detach: bool,
    ) -> None:
        super().__init__()
        self.net = VirtualModalityNetwork(shape.signals, shape.outputs, hidden=hidden, kind=generator)
        self.matching, self.detach = MATCHING[matching], detach

    def forward(self, batch: AnyBatch) -> Tensor:
        return self.net.predict(_given(batch, self.net.encode(visible(batch))))

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        real, virtual = self.net.encode(visible(batch))
        return {name: (virtual[name], real[name]) for name in real}

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        encoded = self.net.encode(visible(batch))
        real, virtual = encoded
        given, dropped = _given(batch, encoded), list(reversed(real))
        # The utterance as given, then without each modality: all views in one product.
        views = {
            name: torch.cat([given[name], *(virtual[name] if name == gone else real[name] for gone in dropped)])
            for name in real
        }
        as_given, *without_one = self.net.predict(views).chunk(1 + len(dropped))
        on_complete = complete(batch)
        weight = everyone(batch)
        view_weight = weight * on_complete
        task = task_loss(as_given, batch.label, weight)
        of_views = reduce(add, [task_loss(view, batch.label, view_weight) for view in without_one]) / len(dropped)
        matched = reduce(add, [self._matching(name, encoded, on_complete, options) for name in dropped])
        return task + options["beta"] * of_views + options["weight"] * matched

    def _matching(self, name: str, encoded: Encoded, valid: Tensor, options: dict[str, Tensor]) -> Tensor:
        """Return w_m use_m l_m of one modality."""
        real = encoded.real[name].detach() if self.detach else encoded.real[name]
        loss = self.matching(encoded.virtual[name], real, valid, options["temperature"])
        alpha, n = options["alpha"], len(encoded.real)
        if "vision" not in encoded.real:
            weight = torch.ones_like(alpha) / n
        else:
            weight = alpha if name == "vision" else (1 - alpha) / (n - 1)
        return weight * options[SWITCHES[name]] * loss if name in SWITCHES else weight * loss


def _given(batch: AnyBatch, encoded: Encoded) -> dict[str, Tensor]:
    """Return a vector [B, hidden] of each modality: real and virtual mixed by the share of its steps that are there."""
    return {
        name: torch.lerp(encoded.virtual[name], encoded.real[name], signal.share.unsqueeze(-1))
        for name, signal in batch.signals.items()
    }
