"""TODO docstring."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, Share, require, strict
from trml.features.encoders.common.config import Fit, TinyVision


@dataclass(config=strict)
class Pretraining(Fit):
    """How the tiny CLIP is trained from pairs. `retrieval_bar` null lifts the bar."""

    logit_scale: Positive
    retrieval_bar: Share | None


@dataclass(config=strict)
class TinyText:
    """open_clip's text tower. Shorter contexts than 16 tokens would cut pantomime's sentences."""

    context_length: Annotated[int, Field(ge=16)]
    vocab_size: Annotated[int, Field(ge=49408)]
    width: Count
    heads: Count
    layers: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyText":
        require(self.width % self.heads == 0, f"width {self.width} is no multiple of heads {self.heads}")
        return self


@dataclass(config=strict)
class TinyClipEncoder:
    """A small open_clip CLIP that the workflow trains itself on the corpus's pretraining pairs."""

    kind: Literal["tiny_clip"]
    name: Name
    embed_dim: Count
    vision: TinyVision
    text: TinyText
    pretraining: Pretraining
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count
