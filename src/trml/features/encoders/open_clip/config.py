"""TODO docstring."""

from typing import Literal

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, require, strict


@dataclass(config=strict)
class OpenClipEncoder:
    """A named open_clip model with a pretrained tag, or with a local checkpoint file."""

    kind: Literal["open_clip"]
    name: Name
    model: str
    pretrained: str | None
    checkpoint: str | None
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    @model_validator(mode="after")
    def _one_source(self) -> "OpenClipEncoder":
        require(
            (self.pretrained is None) != (self.checkpoint is None),
            "give either pretrained (a tag) or checkpoint (a file), not both and not neither",
        )
        return self
