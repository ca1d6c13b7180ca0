"""What a method is: a torch module and its losses, written for one cell.

The trainer stacks many cells and runs them at once under torch.vmap, so a method has no python branches on data
and no randomness of its own: `Batch.draws` brings what it needs. Options that may differ between the cells of
a stack are named in `tensors` and arrive in `loss` as scalars; all others shape the module. A method whose training
has phases says so in `passes`; one that vmap cannot run says why in `unstackable`.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of the data: features of text (a token's are as many) and of a frame, outputs (1 or the number of
    classes), tokens of a text and frames of a clip, and, for methods that are `shaped_by_victim`, the modality that may
    be missing (`text` or `vision`; None for all others)."""

    text: int
    vision: int
    outputs: int
    victim: str | None
    tokens: int = 1
    frames: int = 1


class Batch(NamedTuple):
    """One batch of one cell. What is missing holds an arbitrary value, in tests NaN; call `visible` first.

    Features are standardised: zero mean and unit variance within each vector, so encoders of any scale fit.
    """

    text: Tensor  # [B, d_t]
    frames: Tensor  # [B, T, d_v]
    frame_mask: Tensor  # bool [B, T]
    text_present: Tensor  # bool [B]
    vision_present: Tensor  # bool [B]
    vision_share: Tensor  # [B], the share of the clip's frames that is present, 0 to 1
    label: Tensor  # f32 [B] or int64 [B]
    draws: Tensor  # [B, D], uniform in [0, 1); D is the method's `draws`
    tokens: Tensor  # [B, L, d_t], the text's token by token; L is 0 for a method that has no `needs_tokens`
    token_mask: Tensor  # bool [B, L]


def visible(batch: Batch) -> Batch:
    """The batch with zeros in place of every masked value, so that no method sees one."""
    mask = batch.frame_mask & batch.vision_present.unsqueeze(-1)
    token_mask = batch.token_mask & batch.text_present.unsqueeze(-1)
    return batch._replace(
        text=torch.where(batch.text_present.unsqueeze(-1), batch.text, 0.0),
        tokens=torch.where(token_mask.unsqueeze(-1), batch.tokens, 0.0),
        token_mask=token_mask,
        frames=torch.where(mask.unsqueeze(-1), batch.frames, 0.0),
        frame_mask=mask,
    )


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
    """One walk over training utterances in batches; on each batch every step is made in turn."""

    rows: Rows = "all"
    steps: tuple[Step, ...] = (Step(),)


class Method(nn.Module):
    """Base of all methods. Options are keyword-only arguments of `__init__`, after the shape of the data."""

    tensors: ClassVar[tuple[str, ...]] = ()
    shaped_by_victim: ClassVar[bool] = False  # whether the module itself differs by which modality may be missing
    unstackable: ClassVar[str | None] = None  # why vmap cannot run it; its cells are then run one after the other
    draws: ClassVar[int] = 2  # how many numbers in [0, 1) it draws for each utterance of a training batch
    needs_tokens: ClassVar[bool] = False  # whether its batches bring the text token by token

    def prepare(self, complete: Batch, seed: int) -> None:
        """Set buffers from the complete training utterances of the cell, all in one batch, before training starts. A
        method that has no use for them leaves this as it is, and then they are not read."""

    @classmethod
    def passes(cls, epoch: int) -> tuple[Pass, ...]:
        """The passes of an epoch (from 0), in order: warm-up phases, passes over complete or incomplete
        utterances only, several losses in turn."""
        return (Pass(),)

    def forward(self, batch: Batch) -> Tensor:
        """Predictions [B, outputs] from what is present."""
        raise NotImplementedError

    def imagined(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """For each modality that the method makes up from the other: the virtual vectors and the real ones, [B, h]
        both, of complete utterances. Empty for methods that make up none."""
        return {}

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        """The scalar training loss of a batch; `options` holds the options named in `tensors`."""
        raise NotImplementedError


def without_one(batch: Batch, drop: Tensor, text: Tensor) -> Batch:
    """The batch with one modality taken from the complete utterances in `drop`, bool [B]: the text where `text`,
    bool [B], is True, else the vision."""
    drop = drop & batch.text_present & batch.vision_present
    return batch._replace(
        text_present=batch.text_present & ~(drop & text),
        vision_present=batch.vision_present & ~(drop & ~text),
    )
