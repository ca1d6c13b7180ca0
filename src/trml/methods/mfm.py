"""MFM, the multimodal factorization model (Tsai, Liang, Zadeh, Morency, Salakhutdinov; ICLR 2019, arXiv 1806.06176).

Each modality m has its own latent z_m, and all share a joint latent z_y. Factors f = MLP(z) generate each modality from
(f_y, f_m) and the label from f_y. If a modality is missing, surrogates infer its latent and the joint one from the
modalities that are present. docs/methods.md lists the differences from the published form.
"""

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trml.base.fields import Count, NotNegative
from trml.methods.contract import AnyBatch, Draw, Labelled, Method, Shape, Signal, complete, everyone, visible
from trml.methods.layers.fusion import Head, mean_of_present, others
from trml.methods.layers.noise import standard_normal
from trml.methods.layers.towers import mean_step, towers
from trml.methods.losses.mmd import squared_mmd
from trml.methods.losses.reconstruction import squared_error
from trml.methods.losses.task import task_loss

LATENT = 16  # size of each latent; fixed, since it sets how many draws the prior takes
JOINT = "joint"


class Latents(NamedTuple):
    """All latents of a batch, each [B, LATENT].

    real: Modality -> z_m, and the joint one as `joint`; it means nothing if its modality is missing, the joint one if
    any is. surrogates: source modality -> what it says of every other modality's latent and of the joint one.
    """

    real: dict[str, Tensor]
    surrogates: dict[str, dict[str, Tensor]]

    def surrogate(self, name: str, seen: Mapping[str, Signal]) -> Tensor:
        """Return the mean surrogate of a latent over the present sources, [B, LATENT]."""
        return mean_of_present({source: of[name] for source, of in self.surrogates.items() if name in of}, seen)


class MFM(Method):
    """Latents of each modality and a joint one, with surrogates for what cannot be inferred directly.

    L = L_task + reconstruction sum_m MSE(x^_m, x_m) + mmd sum_z MMD^2(z, N(0, I)) + surrogate sum_s MSE(s, z).

    L_task is on the utterance as given, with surrogate latents in place of missing ones; several surrogates of one
    latent are averaged over the present modalities. x^_m is rebuilt where modality m is present; of a sequence it is
    the mean step. The MMD is of z_m where m is present and of z_y on complete utterances, against as many samples of
    the prior. Each of M modalities has a surrogate s of every other modality's latent and of z_y, M^2 in all. They are
    fitted on complete utterances; the gradient stops on the real side.
    """

    tensors = {"reconstruction": NotNegative, "mmd": NotNegative, "surrogate": NotNegative}

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__()
        sizes = {name: d for name, (_, d) in shape.signals.items()}
        n = len(sizes)
        self.towers = towers(shape.signals, hidden)
        self.encoders = nn.ModuleDict({name: nn.Linear(hidden, LATENT) for name in sizes})
        self.encode_joint = Head(n * hidden, LATENT, width=2 * hidden)
        self.surrogates = nn.ModuleDict({name: Head(hidden, n * LATENT, width=hidden) for name in sizes})
        self.factors = nn.ModuleDict(
            {name: nn.Sequential(Head(LATENT, hidden, width=hidden), nn.ReLU()) for name in (*sizes, JOINT)}
        )
        self.decoders = nn.ModuleDict({name: Head(2 * hidden, d, width=hidden) for name, d in sizes.items()})
        self.head = Head(hidden, shape.outputs, width=2 * hidden)

    @classmethod
    def draws(cls, shape: Shape, options: Mapping[str, Any]) -> dict[str, Draw]:
        return {"prior": Draw((len(shape.signals) + 1) * LATENT)}

    def forward(self, batch: AnyBatch) -> Tensor:
        seen = visible(batch)
        return self.head(self.factors[JOINT](self._given(batch, self._encode(seen))[JOINT]))

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        seen = visible(batch)
        z = self._encode(seen)
        return {name: (z.surrogate(name, seen), z.real[name]) for name in seen}

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        seen = visible(batch)
        z = self._encode(seen)
        given = self._given(batch, z)
        of_joint = self.factors[JOINT](given[JOINT])
        rebuilt = {
            name: self.decoders[name](torch.cat([of_joint, self.factors[name](given[name])], dim=-1)) for name in seen
        }
        present = {name: signal.present.to(of_joint.dtype) for name, signal in seen.items()}
        on_complete = complete(batch).to(of_joint.dtype)
        task = task_loss(self.head(of_joint), batch.label, everyone(batch))
        reconstruction = reduce(
            add,
            [
                squared_error(rebuilt[name], mean_step(signal.values, signal.mask), present[name])
                for name, signal in seen.items()
            ],
        )
        real = torch.stack(list(z.real.values()))
        prior = standard_normal(batch.draws["prior"]).to(real.dtype).unflatten(-1, (len(real), LATENT)).movedim(-2, 0)
        mmd = squared_mmd(real, prior, torch.stack([*present.values(), on_complete])).sum()
        pairs = [(made, z.real[name].detach()) for of in z.surrogates.values() for name, made in of.items()]
        made, target = (torch.cat(side, dim=-1) for side in zip(*pairs, strict=True))
        surrogate = len(pairs) * squared_error(made, target, on_complete)  # the sum of errors of one size
        unsupervised = options["reconstruction"] * reconstruction + options["mmd"] * mmd
        return task + unsupervised + options["surrogate"] * surrogate

    def _encode(self, seen: Mapping[str, Signal]) -> Latents:
        hidden = {name: self.towers[name](signal.values, signal.mask) for name, signal in seen.items()}
        real = {name: self.encoders[name](h) for name, h in hidden.items()}
        real[JOINT] = self.encode_joint(torch.cat(list(hidden.values()), dim=-1))
        surrogates = {}
        for source in reversed(hidden):
            each = self.surrogates[source](hidden[source]).chunk(len(hidden), dim=-1)
            surrogates[source] = dict(zip((*others(source, list(hidden)), JOINT), each, strict=True))
        return Latents(real, surrogates)

    def _given(self, batch: AnyBatch, z: Latents) -> dict[str, Tensor]:
        """Return every latent [B, LATENT], a surrogate in place of each that the batch does not allow to infer."""
        signals = batch.signals
        known = {name: signal.present for name, signal in signals.items()} | {JOINT: complete(batch)}
        return {
            name: torch.where(known[name].unsqueeze(-1), real, z.surrogate(name, signals))
            for name, real in z.real.items()
        }
