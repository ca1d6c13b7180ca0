"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, strict


@dataclass(config=strict)
class TransformersClipEncoder:
    """A CLIP or SigLIP of transformers, a local folder or a name on the hub: one space for both."""

    kind: Literal["transformers_clip"]
    name: Name
    model: str
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count
