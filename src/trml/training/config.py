"""TODO docstring."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, NotNegative, Positive, strict


@dataclass(config=strict)
class Training:
    """Shared by all methods, so that none is trained with more care than another."""

    epochs: Count
    patience: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    weight_decay: NotNegative
    clip_norm: Positive
    hidden: Count
    chunk: Count | Literal["auto"]
    block: Count
