"""TODO docstring."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, require, strict
from trml.features.encoders.common.config import Fit, TinyVision


@dataclass(config=strict)
class TinyBert:
    """A small BERT. Its vocabulary: letters, and the most frequent words of the training sentences."""

    vocab_size: Annotated[int, Field(ge=256)]
    context_length: Annotated[int, Field(ge=16)]
    width: Count
    heads: Count
    layers: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyBert":
        require(self.width % self.heads == 0, f"width {self.width} is no multiple of heads {self.heads}")
        return self


@dataclass(config=strict)
class MaskedWords(Fit):
    """BERT's pretraining: this share of the words is to be guessed."""

    masked: Annotated[float, Field(gt=0, lt=1)]


@dataclass(config=strict)
class Autoencoding(Fit):
    """A picture through one vector and back, at a smaller size. In windows of so many pixels of the small picture a
    side, colour and contrast need not be rebuilt; `window` null has the picture rebuilt as it is."""

    rebuilt_size: Count
    window: Count | None

    @model_validator(mode="after")
    def _divides(self) -> "Autoencoding":
        whole = self.window is None or self.rebuilt_size % self.window == 0
        require(whole, f"rebuilt_size {self.rebuilt_size} is no multiple of window {self.window}")
        return self


@dataclass(config=strict)
class SeparatePretraining:
    """The two pretrainings have nothing in common: no pairs, no labels."""

    text: MaskedWords
    vision: Autoencoding


@dataclass(config=strict)
class TinySeparateEncoder:
    """A small BERT and a small vision transformer that the workflow trains itself, apart from each other, on the
    sentences and on the pictures of the corpus's pretraining pairs."""

    kind: Literal["tiny_separate"]
    name: Name
    text: TinyBert
    vision: TinyVision
    pretraining: SeparatePretraining
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count
