"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, strict


@dataclass(config=strict)
class SeparateEncoder:
    """A text model and a picture model of transformers, each a local folder or a name on the hub. Their two spaces have
    nothing to do with each other."""

    kind: Literal["separate"]
    name: Name
    text: str
    vision: str
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count
