"""Options that the encoders of the workflow share."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Rate, Width, require, strict


@dataclass(config=strict)
class Optimisation:
    """How an encoder is trained: AdamW, linear warm-up, linear decay to zero."""

    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Rate
    warmup_steps: Annotated[int, Field(ge=0)]


@dataclass(config=strict)
class TinyVision:
    """A small vision transformer: sizes in pixels, and widths."""

    image_size: Width
    patch_size: Count
    width: Width
    layers: Count
    head_width: Width

    @model_validator(mode="after")
    def _divides(self) -> "TinyVision":
        require(self.width % self.head_width == 0, f"width {self.width} is no multiple of head_width {self.head_width}")
        require(
            self.image_size % self.patch_size == 0,
            f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}",
        )
        return self
