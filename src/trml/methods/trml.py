"""TRML (Zhao, Poria, Li, Chen, Tang; arXiv 2401.13697): virtual modalities and semantic matching.

Known from the paper: features of one CLIP-like space, a recurrent encoder over the frames, a virtual modality
made from the available one in place of the missing one, in training and at inference, and a loss
L = L_task + weight L_sml with a temperature. The rest (generator, masked views, which rows are matched) is our
reconstruction; docs/methods.md says what is whose.
"""

from typing import Literal

import torch
from torch import Tensor

from trml.base.fields import Count, NotNegative, Positive, Share
from trml.methods.contract import Batch, Method, Shape, visible
from trml.methods.layers.virtual import VirtualModalityNetwork
from trml.methods.losses.matching import MATCHING
from trml.methods.losses.task import task_loss


class TRML(Method):
    """L = L_task + beta L_views + weight (alpha use_l_v l_v + (1 - alpha) use_l_t l_t).

    L_task is on the utterance as given, virtual in place of missing. L_views, on complete utterances, is the mean
    of the task losses with the text and with the vision dropped. l_v matches virtual to real vision, l_t virtual
    to real text, both on complete utterances at `temperature`; `detach` stops the gradient on the real side. An
    ablation sets use_l_v or use_l_t from 1 to 0, which takes the term out and leaves all else as it is. Where some
    frames are missing, vision is the real vector and the virtual one mixed by the share of frames that are there.
    """

    tensors = ("temperature", "weight", "alpha", "beta", "use_l_v", "use_l_t")

    def __init__(
        self,
        shape: Shape,
        *,
        hidden: Count,
        generator: Literal["residual_mlp", "linear", "identity", "prompt", "zeros"],
        matching: Literal["symmetric", "one_direction", "similarity_kl", "cosine"],
        detach: bool,
        temperature: Positive,
        weight: NotNegative,
        alpha: Share,
        beta: NotNegative,
        use_l_v: Share,
        use_l_t: Share,
    ) -> None:
        super().__init__()
        self.net = VirtualModalityNetwork(shape.text, shape.vision, shape.outputs, hidden=hidden, kind=generator)
        self.matching, self.detach = MATCHING[matching], detach

    def forward(self, batch: Batch) -> Tensor:
        return self.net.predict(*self._given(batch, *self._encode(batch)))

    def imagined(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        text, vision, virtual_text, virtual_vision = self._encode(batch)
        return {"vision": (virtual_vision, vision), "text": (virtual_text, text)}

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        encoded = self._encode(batch)
        text, vision, virtual_text, virtual_vision = encoded
        complete = batch.text_present & batch.vision_present
        everyone, views_of = torch.ones_like(complete).to(text.dtype), complete.to(text.dtype)
        # The utterance as given, its text alone and its vision alone: three views, one product.
        given_text, given_vision = self._given(batch, *encoded)
        predicted = self.net.predict(
            torch.cat([given_text, text, virtual_text]), torch.cat([given_vision, virtual_vision, vision])
        )
        given, no_vision, no_text = predicted.chunk(3)
        task = task_loss(given, batch.label, everyone)
        views = (task_loss(no_vision, batch.label, views_of) + task_loss(no_text, batch.label, views_of)) / 2
        real_text, real_vision = (text.detach(), vision.detach()) if self.detach else (text, vision)
        l_v = self.matching(virtual_vision, real_vision, complete, options["temperature"])
        l_t = self.matching(virtual_text, real_text, complete, options["temperature"])
        alpha = options["alpha"]
        matching = alpha * options["use_l_v"] * l_v + (1 - alpha) * options["use_l_t"] * l_t
        return task + options["beta"] * views + options["weight"] * matching

    def _encode(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Text, vision, virtual text, virtual vision, each [B, hidden]; the real ones mean nothing where missing."""
        seen = visible(batch)
        text = self.net.text_tower(seen.text)
        vision = self.net.frame_tower(seen.frames, seen.frame_mask)
        virtual_text = self.net.text_from_vision(vision, seen.frames, seen.frame_mask)
        virtual_vision = self.net.vision_from_text(text, seen.text.unsqueeze(-2), batch.text_present.unsqueeze(-1))
        return text, vision, virtual_text, virtual_vision

    def _given(
        self, batch: Batch, text: Tensor, vision: Tensor, virtual_text: Tensor, virtual_vision: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Text and vision [B, hidden], the virtual one in place of a missing one."""
        return (
            torch.where(batch.text_present.unsqueeze(-1), text, virtual_text),
            torch.lerp(virtual_vision, vision, batch.vision_share.unsqueeze(-1)),
        )
