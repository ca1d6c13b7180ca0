"""TODO docstring."""

from typing import Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, strict


@dataclass(config=strict)
class MosiConfig:
    """CMU-MOSI with given utterance-level features."""

    kind: Literal["mosi"]
    name: Name
    folder: str
    valid_videos: Count
