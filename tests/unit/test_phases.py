"""Methods whose training has phases, each shown by a small method: against the plain loop, and the same bytes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_training import run, same
from torch import nn
from torch.func import functional_call, grad

from conftest import SETTINGS, made_features
from trml.base.fields import Count
from trml.methods.contract import Batch, Method, Pass, Shape, Step, visible
from trml.methods.layers.towers import FrameTower, TextTower
from trml.methods.losses.task import task_loss
from trml.missing.masks import missing
from trml.planning.plan import Cell
from trml.training.reference import train_one


class Small(Method):
    """Two towers and a head; the subclasses train it in their own ways."""

    def __init__(self, shape: Shape, *, hidden: Count) -> None:
        super().__init__()
        self.text = TextTower(shape.text, hidden)
        self.vision = FrameTower(shape.vision, hidden)
        self.head = nn.Linear(hidden, shape.outputs)

    def forward(self, batch: Batch) -> torch.Tensor:
        seen = visible(batch)
        return self.head(self.text(seen.text) + self.vision(seen.frames, seen.frame_mask))

    def loss(self, batch: Batch, options: dict) -> torch.Tensor:
        return task_loss(self(batch), batch.label, torch.ones_like(batch.text[:, 0]))


class WarmedUp(Small):
    """Two epochs on complete utterances, as MM-Align's, then a pass over complete and a pass over incomplete ones."""

    @classmethod
    def passes(cls, epoch: int) -> tuple[Pass, ...]:
        return (Pass("complete"),) if epoch < 2 else (Pass("complete"), Pass("incomplete"))


class OwnRates(Small):
    """The head at the full learning rate, the towers at a tenth, the norms not at all: an optimizer's groups."""

    @classmethod
    def passes(cls, epoch: int) -> tuple[Pass, ...]:
        return (Pass(steps=(Step(moves=(("text.norm", 0.0), ("head", 1.0), ("text", 0.1), ("vision", 0.1))),)),)


class Alternating(Small):
    """On each batch a step of the towers on one loss, then a step of the head on another, each with its own AdamW."""

    @classmethod
    def passes(cls, epoch: int) -> tuple[Pass, ...]:
        return (Pass(steps=(Step("towers", (("text", 1.0), ("vision", 1.0))), Step("loss", (("head", 1.0),)))),)

    def towers(self, batch: Batch, options: dict) -> torch.Tensor:
        seen = visible(batch)
        both = batch.text_present & batch.vision_present
        gap = (self.text(seen.text) - self.vision(seen.frames, seen.frame_mask)).square().mean(dim=-1)
        return (gap * both).sum() / both.sum().clamp(min=1) + self.loss(batch, options)


class Meta(Small):
    """As SMIL: an inner gradient step on what is there alone, the outer loss after it, differentiated through it."""

    tensors = ("step",)

    def __init__(self, shape: Shape, *, hidden: Count, step: float) -> None:
        super().__init__(shape, hidden=hidden)

    def loss(self, batch: Batch, options: dict) -> torch.Tensor:
        weights = dict(self.named_parameters())

        def inner(own: dict) -> torch.Tensor:
            alone = batch._replace(vision_present=torch.zeros_like(batch.vision_present))
            return functional_call(_Plain(self), {f"method.{k}": v for k, v in own.items()}, (alone,))

        moved = {k: weights[k] - options["step"] * g for k, g in grad(inner)(weights).items()}
        return functional_call(_Plain(self), {f"method.{k}": v for k, v in moved.items()}, (batch,))


class _Plain(nn.Module):
    def __init__(self, method: Small) -> None:
        super().__init__()
        self.method = method

    def forward(self, batch: Batch) -> torch.Tensor:
        return Small.loss(self.method, batch, {})


class Branching(Small):
    """Branches on data, which vmap cannot."""

    unstackable = "its loss branches on the data of the batch"

    def loss(self, batch: Batch, options: dict) -> torch.Tensor:
        scale = 2.0 if float(batch.label.mean()) > 0 else 1.0
        return scale * super().loss(batch, options)


def cells_of(name: str) -> list[Cell]:
    options = {"hidden": 8, **({"step": 0.05} if name == "Meta" else {})}
    protocols = [("vision", 0.5, 2020), ("text", 0.5, 2021), ("vision", 0.5, 2022), ("vision", 0.7, 2020)]
    return [
        Cell(name, "default", f"test_phases.{name}", options, victim, rate, seed, f"{name}{victim}{rate}{seed}")
        for victim, rate, seed in protocols
    ]


KINDS = ["WarmedUp", "OwnRates", "Alternating", "Meta", "Branching"]


@pytest.mark.parametrize("name", KINDS)
def test_many_agree_with_a_plain_loop_of_one(name):
    features, settings = made_features(), replace(SETTINGS, epochs=4)
    together = run(cells_of(name), features, settings, dtype=torch.float64)
    for c in cells_of(name):
        alone = train_one(c, features, settings, dtype=torch.float64)
        ours = together[c.digest]
        assert [h["train_loss"] for h in ours.history] == pytest.approx([h["train_loss"] for h in alone.history])
        for key, values in alone.predictions.items():
            np.testing.assert_allclose(ours.predictions[key], values, atol=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_same_bytes_alone(name):
    features = made_features()
    together = run(cells_of(name), features, replace(SETTINGS, chunk=None))
    for c in cells_of(name):
        assert same(run([c], features)[c.digest], together[c.digest])


def test_phases_change_what_is_learned():
    features = made_features()
    first = {name: run(cells_of(name)[:1], features).popitem()[1].history for name in KINDS[:4]}
    first["plain"] = run([replace(cells_of("OwnRates")[0], target="test_phases.Small")], features).popitem()[1].history
    assert len({str(history) for history in first.values()}) == len(first)


def test_a_pass_sees_only_its_rows():
    """Complete utterances only: with all others' features and labels replaced, the same bytes."""
    features = made_features()
    c = cells_of("WarmedUp")[0]
    settings = replace(SETTINGS, epochs=2)
    rows = features.rows("train")
    lost = rows[missing("made", c.victim, "train", c.seed, c.rate, len(rows))]
    text, label = features.text.copy(), features.index["label"].to_numpy().copy()
    text[lost], label[lost] = 7.0, 2.5
    other = replace(features, text=text, index=features.index.with_columns(label=label))
    mine, theirs = run([c], features, settings).popitem()[1], run([c], other, settings).popitem()[1]
    assert mine.history == theirs.history


def test_what_no_step_moves_stays():
    features = made_features()
    c = cells_of("OwnRates")[0]
    state = run([c], features).popitem()[1].state
    assert (state["text.norm.weight"] == 1).all()  # its factor is 0
    assert (state["head.bias"] != 0).all()
