"""The training part of the configuration."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, NotNegative, Positive, Rate, Width, strict


@dataclass(config=strict)
class Training:
    """How cells are trained, the same for all methods, so that none is trained with more care than another.

    Attributes:
        epochs: At most. A method's options may say fewer.
        patience: Epochs without a better dev loss after which a training ends.
        batch_size: Utterances of a batch.
        learning_rate: The highest, unless a method's options say otherwise.
        weight_decay: Of AdamW.
        clip_norm: The largest norm of a gradient.
        hidden: Width of the methods' hidden vectors, unless their options say otherwise.
        chunk: Cells trained as one stack, at most; `auto` leaves it to memory and device.
        block: Cells that one process trains.
    """

    epochs: Count
    patience: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Rate
    weight_decay: NotNegative
    clip_norm: Positive
    hidden: Width
    chunk: Count | Literal["auto"]
    block: Count
