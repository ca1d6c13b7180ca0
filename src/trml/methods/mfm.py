"""MFM, the multimodal factorization model (Tsai, Liang, Zadeh, Morency, Salakhutdinov; ICLR 2019, arXiv 1806.06176).

Each modality has a latent z_m of its own, both share a joint z_y; factors f = MLP(z) generate: each modality from
(f_y, f_m), the label from f_y. Where a modality is missing, surrogates infer its latent and the joint one from the
other modality. docs/methods.md says where this departs from the published form.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from trml.base.fields import Count, NotNegative
from trml.methods.contract import Batch, Method, Shape, visible
from trml.methods.layers.fusion import Head
from trml.methods.layers.noise import standard_normal
from trml.methods.layers.towers import FrameTower, TextTower, mean_frame
from trml.methods.losses.mmd import squared_mmd
from trml.methods.losses.reconstruction import squared_error
from trml.methods.losses.task import task_loss

LATENT = 16  # size of each latent; fixed, since it sets how many draws the prior takes


class Latents(NamedTuple):
    """All latents of a batch, each [B, LATENT]; the real ones mean nothing where their modality is missing."""

    text: Tensor
    vision: Tensor
    joint: Tensor
    text_from_vision: Tensor
    joint_from_vision: Tensor
    vision_from_text: Tensor
    joint_from_text: Tensor


class MFM(Method):
    """L = L_task + reconstruction sum_m MSE(x^_m, x_m) + mmd sum_z MMD^2(z, N(0, I)) + surrogate sum_s MSE(s, z).

    L_task is on the utterance as given, surrogate latents in place of missing ones. x^_m is rebuilt where modality m
    is present: the text vector, and of a clip the mean frame. The MMD is of z_t and z_v where their modality is present
    and of z_y on complete utterances, against as many samples of the prior. The surrogates s are fitted on complete
    utterances; the gradient stops on the real side.
    """

    tensors = ("reconstruction", "mmd", "surrogate")
    draws = 3 * LATENT

    def __init__(
        self, shape: Shape, *, hidden: Count, reconstruction: NotNegative, mmd: NotNegative, surrogate: NotNegative
    ) -> None:
        super().__init__()
        self.text_tower = TextTower(shape.text, hidden)
        self.frame_tower = FrameTower(shape.vision, hidden)
        self.encode_text = nn.Linear(hidden, LATENT)
        self.encode_vision = nn.Linear(hidden, LATENT)
        self.encode_joint = Head(2 * hidden, LATENT, width=2 * hidden)
        self.from_text = Head(hidden, 2 * LATENT, width=hidden)  # z_v and z_y
        self.from_vision = Head(hidden, 2 * LATENT, width=hidden)  # z_t and z_y
        self.text_factor, self.vision_factor, self.joint_factor = (
            nn.Sequential(Head(LATENT, hidden, width=hidden), nn.ReLU()) for _ in range(3)
        )
        self.decode_text = Head(2 * hidden, shape.text, width=hidden)
        self.decode_vision = Head(2 * hidden, shape.vision, width=hidden)
        self.head = Head(hidden, shape.outputs, width=2 * hidden)

    def forward(self, batch: Batch) -> Tensor:
        _, _, joint = _given(batch, self._encode(visible(batch)))
        return self.head(self.joint_factor(joint))

    def imagined(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        z = self._encode(visible(batch))
        return {"text": (z.text_from_vision, z.text), "vision": (z.vision_from_text, z.vision)}

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        seen = visible(batch)
        z = self._encode(seen)
        given_text, given_vision, given_joint = _given(batch, z)
        of_joint = self.joint_factor(given_joint)
        rebuilt_text = self.decode_text(torch.cat([of_joint, self.text_factor(given_text)], dim=-1))
        rebuilt_vision = self.decode_vision(torch.cat([of_joint, self.vision_factor(given_vision)], dim=-1))
        with_text, with_vision = (p.to(batch.text.dtype) for p in (batch.text_present, batch.vision_present))
        complete = with_text * with_vision
        task = task_loss(self.head(of_joint), batch.label, torch.ones_like(complete))
        reconstruction = squared_error(rebuilt_text, seen.text, with_text) + squared_error(
            rebuilt_vision, mean_frame(seen.frames, seen.frame_mask), with_vision
        )
        real = torch.stack([z.text, z.vision, z.joint])
        prior = standard_normal(batch.draws).to(real.dtype).unflatten(-1, (3, LATENT)).movedim(-2, 0)
        mmd = squared_mmd(real, prior, torch.stack([with_text, with_vision, complete])).sum()
        made = torch.cat([z.text_from_vision, z.joint_from_vision, z.vision_from_text, z.joint_from_text], dim=-1)
        target = torch.cat([z.text, z.joint, z.vision, z.joint], dim=-1).detach()
        surrogate = 4 * squared_error(made, target, complete)  # the sum of four errors of one size
        unsupervised = options["reconstruction"] * reconstruction + options["mmd"] * mmd
        return task + unsupervised + options["surrogate"] * surrogate

    def _encode(self, seen: Batch) -> Latents:
        text, vision = self.text_tower(seen.text), self.frame_tower(seen.frames, seen.frame_mask)
        return Latents(
            self.encode_text(text),
            self.encode_vision(vision),
            self.encode_joint(torch.cat([text, vision], dim=-1)),
            *self.from_vision(vision).chunk(2, dim=-1),
            *self.from_text(text).chunk(2, dim=-1),
        )


def _given(batch: Batch, z: Latents) -> tuple[Tensor, Tensor, Tensor]:
    """The latents of text, of vision and the joint one, a surrogate in place of each that cannot be had."""
    text, vision = batch.text_present.unsqueeze(-1), batch.vision_present.unsqueeze(-1)
    surrogate = torch.where(text, z.joint_from_text, z.joint_from_vision)
    return (
        torch.where(text, z.text, z.text_from_vision),
        torch.where(vision, z.vision, z.vision_from_text),
        torch.where(text & vision, z.joint, surrogate),
    )
