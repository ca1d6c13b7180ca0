"""What a method is: a torch module and its losses, written for one cell.

The trainer stacks many cells and runs them at once under torch.vmap. So a method has no Python branches on data and
draws no random numbers itself: `draws` names what it needs, and batches bring it. Options that may differ between the
cells of a stack are declared in `tensors` and reach `loss` as scalars; all others shape the module. `passes` describes
a training in phases. A method that vmap cannot run gives the reason in `unstackable`.

Sizes: B rows of a batch, T steps of a sequence, d features of a step. Batches are of utterances of about one length,
and T is as many steps as hold them all, at most that of `Shape`. What a method returns may not depend on where its
batch ends: steps outside the mask play no part, nor does their number.
"""

import math
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
        signals: Modality -> (T, d), in order. T is that of the longest sequence, 1 for a modality that is one vector.
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
    """One modality of a batch. Steps outside the mask hold arbitrary values, in tests NaN; call `visible` first.

    Values are standardised: zero mean and unit variance within each step's vector, so encoders of any scale fit.
    """

    values: Tensor  # [B, T, d]
    mask: Tensor  # bool [B, T], which steps are present
    share: Tensor  # [B], how many of the steps that the corpus has are present, 0 to 1

    @property
    def present(self) -> Tensor:
        """Whether any step is present, bool [B]."""
        return self.mask.any(dim=-1)


class Batch(NamedTuple):
    """What a prediction is made from. It has no label, and reading one is an error that names the method."""

    signals: dict[str, Signal]
    draws: dict[str, Tensor]  # by name, uniform in [0, 1): [B, size], or [size] where a draw is of the batch


class Labelled(NamedTuple):
    """What a loss is computed from: a `Batch`, its labels and weights, and the losses of the epochs so far."""

    signals: dict[str, Signal]
    draws: dict[str, Tensor]
    label: Tensor  # f32 [B] or int64 [B]; NO_SCORE or NO_CLASS where it is hidden
    weight: Tensor  # [B], of each utterance in the losses; 1 unless the protocol weighs them
    losses: Tensor  # [epochs, 2], train and dev loss of each finished epoch, NaN for the others

    @property
    def unlabelled(self) -> Batch:
        """The same batch without its labels."""
        return Batch(self.signals, self.draws)


AnyBatch = Batch | Labelled

# The label of a training utterance whose label is hidden. `task_loss` leaves such rows out.
NO_SCORE, NO_CLASS = math.nan, -1


def visible(batch: AnyBatch) -> dict[str, Signal]:
    """Return the signals with zeros in place of every masked value, so that no method sees one."""
    return {
        name: signal._replace(values=torch.where(signal.mask.unsqueeze(-1), signal.values, 0.0))
        for name, signal in batch.signals.items()
    }


def complete(batch: AnyBatch) -> Tensor:
    """Return which utterances have every modality, bool [B]."""
    return torch.stack([signal.present for signal in batch.signals.values()]).all(dim=0)


def everyone(batch: AnyBatch) -> Tensor:
    """Return the weights [B] of a loss on all utterances, in the dtype of the features."""
    if isinstance(batch, Labelled):
        return batch.weight
    signal = next(iter(batch.signals.values()))
    return torch.ones_like(signal.share)


def without(signals: dict[str, Signal], drop: Mapping[str, Tensor]) -> dict[str, Signal]:
    """Return the signals without the modalities in `drop`, modality -> bool [B], on the rows that are True there."""
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

    Attributes:
        size: How many.
        varies: `row`: new numbers for each utterance of each batch. `batch`: new ones for each batch, which its
            utterances share.
        shared: `seed`: the same for all cells of a training seed. `cell`: each cell has its own.
    """

    size: int = 1
    varies: Literal["row", "batch"] = "row"
    shared: Literal["seed", "cell"] = "seed"


Rows = Literal["all", "complete", "incomplete"]  # training utterances, by what the training mask leaves of them


class Step(NamedTuple):
    """One optimizer step on a batch.

    Steps with the same `moves` share one AdamW, others have their own.

    Attributes:
        loss: Name of the method's function that returns the loss; its arguments are those of `Method.loss`.
        moves: The parameters that it changes, as pairs of a prefix of their names and a factor on the learning rate.
            The first pair that fits counts. Parameters that no pair fits stay unchanged.
    """

    loss: str = "loss"
    moves: tuple[tuple[str, float], ...] = (("", 1.0),)


class Pass(NamedTuple):
    """One walk over training utterances in batches. On each batch every step is made in turn.

    Attributes:
        rows: The utterances.
        steps: The optimizer steps on a batch, in order.
        batch_size: Rows of a batch; None is the training's batch size.
    """

    rows: Rows = "all"
    steps: tuple[Step, ...] = (Step(),)
    batch_size: int | None = None


class Copy(NamedTuple):
    """Parameters that are set to the values of others, each named by a prefix: `target` from `source`.

    A target that no step moves stays frozen until the next copy.
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
        """Set buffers before training starts. Without an override, the utterances are not read.

        Args:
            complete: The complete training utterances of the cell, all in one batch.
            seed: Seed of anything random in it.
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
        """Return the copies to make before an epoch (from 0), such as of a student into its frozen teacher."""
        return ()

    def forward(self, batch: AnyBatch) -> Tensor:
        """Return predictions [B, outputs] from the present modalities: scores, or logits of the classes."""
        raise NotImplementedError

    def spread(self, batch: AnyBatch) -> Tensor | None:
        """Return the standard deviation [B] of each score. Methods without one do not override this."""
        return None

    def virtual(self, batch: AnyBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the virtual and the real vectors, [B, h] both, of each modality that the method makes up.

        The batch holds complete utterances. Methods that make up none do not override this.
        """
        return {}

    def loss(self, batch: Labelled, options: dict[str, Tensor]) -> Tensor:
        """Return the scalar training loss of a batch; `options` holds the options named in `tensors`."""
        raise NotImplementedError
