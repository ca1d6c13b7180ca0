"""What a method is: a torch module and its losses, written for one cell.

The trainer stacks many cells and runs them at once under torch.vmap, so a method has no python branches on data
and no randomness of its own: `draws` names what it needs, and batches bring it. Options that may differ between the
cells of a stack are named in `tensors` and arrive in `loss` as scalars; all others shape the module. A method whose
training has phases says so in `passes`; one that vmap cannot run says why in `unstackable`.

Sizes: B rows of a batch, T steps of a sequence, d features of a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from trml.missing.pattern import Missing


@dataclass(frozen=True)
class Shape:
    """Sizes of the data.

    Attributes:
        signals: Modality -> (T, d), in order. T is 1 for a modality that is one vector.
        outputs: 1 for a score, or the number of classes.
        missing: The pattern that the cell is trained for, for methods that are `shaped_by_missing`; else None.
    """

    signals: Mapping[str, tuple[int, int]]
    outputs: int
    missing: Missing | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """The names of the modalities, in order."""
        return tuple(self.signals)


class Signal(NamedTuple):
    """One modality of a batch. Steps outside the mask hold an arbitrary value, in tests NaN; call `visible` first.

    Values are standardised: zero mean and unit variance within each step's vector, so encoders of any scale fit.
    """

    values: Tensor  # [B, T, d]
    mask: Tensor  # bool [B, T], which steps are there
    share: Tensor  # [B], the share of the steps that the corpus has which is there, 0 to 1

    @property
    def present(self) -> Tensor:
        """Whether anything of the modality is there, bool [B]."""
        return self.mask.any(dim=-1)


class Batch(NamedTuple):
    """What a prediction is made from. It has no label: reading one in `forward` is an error that names the method."""

    signals: dict[str, Signal]
    draws: dict[str, Tensor]  # by name, uniform in [0, 1): [B, size], or [size] where a draw is of the batch


class Labelled(NamedTuple):
    """What a loss is computed from: a `Batch`, its labels, and how the training has gone so far."""

    signals: dict[str, Signal]
    draws: dict[str, Tensor]
    label: Tensor  # f32 [B] or int64 [B]
    losses: Tensor  # [epochs, 2], the train and the dev loss of each epoch that ended; NaN for those to come

    @property
    def unlabelled(self) -> Batch:
        """The same batch without its labels."""
        return Batch(self.signals, self.draws)


AnyBatch = Batch | Labelled


def visible(batch: AnyBatch) -> dict[str, Signal]:
    """Return the signals with zeros in place of every masked value, so that no method sees one."""
    return {
        name: signal._replace(values=torch.where(signal.mask.unsqueeze(-1), signal.values, 0.0))
        for name, signal in batch.signals.items()
    }


def complete(batch: AnyBatch) -> Tensor:
    """Return which utterances have something of every modality, bool [B]."""
    found = [signal.present for signal in batch.signals.values()]
    return torch.stack(found).all(dim=0)


def everyone(batch: AnyBatch) -> Tensor:
    """Return ones [B] in the dtype of the features: the weights of a loss on all utterances."""
    signal = next(iter(batch.signals.values()))
    return torch.ones_like(signal.share)


def without(signals: dict[str, Signal], drop: Mapping[str, Tensor]) -> dict[str, Signal]:
    """Return the signals with modalities taken away: `drop` has bool [B] for some of them."""
    return {
        name: signal
        if name not in drop
        else signal._replace(
            mask=signal.mask & ~drop[name].unsqueeze(-1), share=torch.where(drop[name], 0.0, signal.share)
        )
        for name, signal in signals.items()
    }


def without_one(batch: AnyBatch, drop: Tensor, which: Tensor) -> dict[str, Signal]:
    """Return the signals with one modality taken from the complete utterances in `drop`.

    Args:
        batch: The batch.
        drop: bool [B].
        which: A draw [B], uniform in [0, 1): the first modality below 1 / M, the second below 2 / M, and so on.
    """
    drop, n = drop & complete(batch), len(batch.signals)
    lost = {
        name: drop & (which >= i / n) & (which < (i + 1) / n if i + 1 < n else torch.ones_like(drop))
        for i, name in enumerate(batch.signals)
    }
    return without(batch.signals, lost)


class Draw(NamedTuple):
    """Uniform numbers in [0, 1) that a method needs.

    size: how many. varies: `row`, fresh numbers for each utterance of each batch, or `batch`, fresh ones for each batch
    that its utterances share. shared: `seed`, the same for all cells of a training seed, or `cell`, a cell's own.
    """

    size: int = 1
    varies: Literal["row", "batch"] = "row"
    shared: Literal["seed", "cell"] = "seed"


Rows = Literal["all", "complete", "incomplete"]  # training utterances, by what the protocol left of them


class Step(NamedTuple):
    """One optimizer step on a batch.

    loss: the method's function that gives it, called as `loss` is. moves: the parameters it changes, as pairs of a
    prefix of their names and a factor on the learning rate; the first pair that fits counts, and what no pair fits
    stays as it is. Steps with the same `moves` share one AdamW, others have their own.
    """

    loss: str = "loss"
    moves: tuple[tuple[str, float], ...] = (("", 1.0),)


class Pass(NamedTuple):
    """One walk over training utterances in batches; on each batch every step is made in turn.

    batch_size: rows of a batch, the training's own where it is None.
    """

    rows: Rows = "all"
    steps: tuple[Step, ...] = (Step(),)
    batch_size: int | None = None


class Copy(NamedTuple):
    """Parameters that are set to the values of others: pairs of a prefix of their names, `target` from `source`.

    What no step moves afterwards is frozen.
    """

    source: str
    target: str


class Method(nn.Module):
    """Base of all methods. Options are keyword-only arguments of `__init__`, after the shape, and those in `tensors`.

    The class attributes are read from the source, so write them as literals.

    Attributes:
        tensors: Options that reach `loss` as scalar tensors instead of `__init__`, so that cells of one stack may
            differ in them: name -> type, as `{"weight": NotNegative}`. They have no default.
        modalities: The number of modalities that it is defined for, None for any number.
        views: What a batch holds of a modality that has both: `pooled`, one vector, or `sequence`, its tokens.
        shaped_by_missing: Whether the module depends on the missing pattern.
        unstackable: Why vmap cannot run it. Its cells are then run one after the other.
    """

    tensors: ClassVar[Mapping[str, Any]] = {}
    modalities: ClassVar[int | None] = None
    views: ClassVar[Literal["pooled", "sequence"]] = "pooled"
    shaped_by_missing: ClassVar[bool] = False
    unstackable: ClassVar[str | None] = None

    @classmethod
    def draws(cls, shape: Shape, options: Mapping[str, Any]) -> dict[str, Draw]:
        """Return the random numbers that a batch brings, by name."""
        return {}

    def prepare(self, complete: Labelled, seed: int) -> None:
        """Set buffers before training starts.

        A method that has no use for it leaves this as it is; then the utterances are not read.

        Args:
            complete: The complete training utterances of the cell, all in one batch.
            seed: For what is random in it.
        """

    @classmethod
    def passes(cls, epoch: int, options: Mapping[str, Any]) -> tuple[Pass, ...]:
        """Return the passes of an epoch (from 0), in order: warm-up phases, several losses in turn.

        Args:
            epoch: From 0.
            options: Those of the cell that are not in `tensors`.
        """
        return (Pass(),)

    @classmethod
    def between(cls, epoch: int, options: Mapping[str, Any]) -> tuple[Copy, ...]:
        """Return what is copied before an epoch starts, as for a teacher that is a frozen copy of the student."""
        return ()

    def forward(self, batch: AnyBatch) -> Tensor:
        """Return predictions [B, outputs] from what is present: scores, or logits of the classes."""
        raise NotImplementedError

    def spread(self, batch: AnyBatch) -> Tensor | None:
        """Return the standard deviation [B] of each score, None for methods that give none."""
        return None

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the virtual and the real vectors, [B, h] both, of each modality that the method makes up.

        `batch` is of complete utterances. Empty for methods that make up none.
        """
        return {}

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        """Return the scalar training loss of a batch; `options` holds the options named in `tensors`."""
        raise NotImplementedError
