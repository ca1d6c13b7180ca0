"""Small methods for any number of modalities, each of which asks the trainer for one thing."""

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from helpers.synthetic_training import bare_cell
from trml.base.fields import Count
from trml.methods.contract import AnyBatch, Copy, Draw, Labelled, Method, Pass, Shape, Step, complete, everyone, visible
from trml.methods.layers.norm import LayerNorm
from trml.methods.losses.task import task_loss
from trml.training.contract import Cell


class Tower(nn.Module):
    """LayerNorm(W mean(steps)), zero steps where nothing is there."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.project = nn.Linear(inputs, hidden)
        self.norm = LayerNorm(hidden)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """[B, T, d], bool [B, T] -> [B, hidden]."""
        mean = values.sum(dim=-2) / mask.sum(dim=-1, keepdim=True).clamp(min=1)
        return self.norm(self.project(mean))


class Small(Method):
    """A tower a modality and a head; the subclasses train it in their own ways."""

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__()
        for modality, (_, d) in shape.signals.items():
            self.add_module(modality, Tower(d, hidden))
        self.head = nn.Linear(hidden, shape.outputs)

    def hidden(self, batch: AnyBatch) -> dict[str, Tensor]:
        """Return a hidden vector [B, hidden] a modality."""
        return {name: getattr(self, name)(s.values, s.mask) for name, s in visible(batch).items()}

    def forward(self, batch: AnyBatch) -> Tensor:
        return self.head(sum(self.hidden(batch).values()))

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        return task_loss(self(batch.unlabelled), batch.label, everyone(batch))


class WarmedUp(Small):
    """Two epochs on complete utterances, as MM-Align's, then a pass over complete and a pass over incomplete ones."""

    @classmethod
    def passes(cls, epoch, options):
        return (Pass("complete"),) if epoch < 2 else (Pass("complete"), Pass("incomplete"))


class OwnRates(Small):
    """The head at the full learning rate, the towers at a tenth, the norms not at all: an optimizer's groups."""

    @classmethod
    def passes(cls, epoch, options):
        moves = (("text.norm", 0.0), ("head", 1.0), ("text", 0.1), ("vision", 0.1), ("audio", 0.1))
        return (Pass(steps=(Step(moves=moves),)),)


class Alternating(Small):
    """On each batch a step of the towers on one loss, then a step of the head on another, each with its own AdamW."""

    @classmethod
    def passes(cls, epoch, options):
        towers = (("text", 1.0), ("vision", 1.0), ("audio", 1.0))
        return (Pass(steps=(Step("towers", towers), Step("loss", (("head", 1.0),)))),)

    def towers(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        """Return the loss that moves the towers."""
        hidden, both = self.hidden(batch), complete(batch)
        gap = (hidden["text"] - hidden["vision"]).square().mean(dim=-1)
        return (gap * both).sum() / both.sum().clamp(min=1) + self.loss(batch, options)


class OwnBatches(Small):
    """Batches of eight, whatever the training's own size, with as many epochs' passes as an option says."""

    def __init__(self, shape: Shape, *, hidden: Count, walks: Count) -> None:
        super().__init__(shape, hidden=hidden)

    @classmethod
    def passes(cls, epoch, options):
        return (Pass(batch_size=8),) * options["walks"]


class Meta(Small):
    """As SMIL: an inner gradient step without vision, the outer loss after it, differentiated through it."""

    tensors = {"step": float}

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        weights = dict(self.named_parameters())
        vision = batch.signals["vision"]
        alone = {**batch.signals, "vision": vision._replace(mask=torch.zeros_like(vision.mask))}

        def inner(own: dict[str, Tensor]) -> Tensor:
            return self._with(own, batch._replace(signals=alone))

        return self._with({k: weights[k] - options["step"] * g for k, g in grad(inner)(weights).items()}, batch)

    def _with(self, weights: dict[str, Tensor], batch: Labelled) -> Tensor:
        return functional_call(_Plain(self), {f"method.{k}": v for k, v in weights.items()}, (batch,))


class _Plain(nn.Module):
    def __init__(self, method: Small) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Labelled) -> Tensor:
        return Small.loss(self.method, batch, {})


class Branching(Small):
    """Branches on data, which vmap cannot."""

    unstackable = "its loss branches on the data of the batch"

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        scale = 2.0 if float(batch.label.mean()) > 0 else 1.0
        return scale * super().loss(batch, options)


class Distilled(Small):
    """After an epoch the head becomes a frozen teacher, whose predictions the head is then held to as well."""

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__(shape, hidden=hidden)
        self.teacher = nn.Linear(hidden, shape.outputs)

    @classmethod
    def passes(cls, epoch, options):
        return (Pass(steps=(Step(moves=(("teacher", 0.0), ("", 1.0))),)),)

    @classmethod
    def between(cls, epoch, options):
        return (Copy("head.", "teacher."),) if epoch == 1 else ()

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        total = sum(self.hidden(batch).values())
        apart = (self.head(total) - self.teacher(total).detach()).square().mean()
        return super().loss(batch, options) + 0.1 * apart


class Curriculum(Small):
    """The loss weighs more the higher the last dev loss was."""

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        return super().loss(batch, options) * (1 + batch.losses.nan_to_num().sum())


class Random(Small):
    """Every kind of draw, in the loss and in the prediction."""

    @classmethod
    def draws(cls, shape, options):
        return {
            "drop": Draw(),
            "shift": Draw(2, varies="batch"),
            "scale": Draw(3, shared="cell"),
            "bias": Draw(varies="batch", shared="cell"),
        }

    def forward(self, batch: AnyBatch) -> Tensor:
        drawn = batch.draws
        of_row = drawn["drop"] + drawn["scale"].sum(dim=-1, keepdim=True)
        return super().forward(batch) * (1 + of_row) + drawn["shift"].sum() - drawn["bias"].sum()


KINDS = [
    "WarmedUp",
    "OwnRates",
    "Alternating",
    "OwnBatches",
    "Meta",
    "Branching",
    "Distilled",
    "Curriculum",
    "Random",
]
OPTIONS = {"Meta": {"step": 0.05}, "OwnBatches": {"walks": 2}}


def small_cells(name: str) -> list[Cell]:
    """Return four cells of a small method that differ in what may differ within a stack."""
    protocols = [("vision", 0.5, 2020), ("text", 0.5, 2021), ("vision", 0.5, 2022), ("vision", 0.7, 2020)]
    options = {"hidden": 8, **OPTIONS.get(name, {})}
    return [bare_cell(f"helpers.small_methods.{name}", options, *protocol) for protocol in protocols]
