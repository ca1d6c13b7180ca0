"""The encoders. `kind` says where an encoder comes from."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.config.fields import Count, Name, Positive, Share, require, strict


@dataclass(config=strict)
class GivenEncoder:
    """The corpus brings its features; nothing is encoded."""

    kind: Literal["given"]
    name: Name


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


@dataclass(config=strict)
class Fit:
    """How the workflow trains an encoder (encoders/fit.py)."""

    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    warmup_steps: Annotated[int, Field(ge=0)]


@dataclass(config=strict)
class Pretraining(Fit):
    """How the tiny CLIP is trained from pairs. `retrieval_bar` null lifts the bar."""

    logit_scale: Positive
    retrieval_bar: Share | None


@dataclass(config=strict)
class TinyVision:
    """A small vision transformer: pixels and widths."""

    image_size: Count
    patch_size: Count
    width: Count
    layers: Count
    head_width: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyVision":
        require(self.width % self.head_width == 0, f"width {self.width} is no multiple of head_width {self.head_width}")
        require(
            self.image_size % self.patch_size == 0,
            f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}",
        )
        return self


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


@dataclass(config=strict)
class TransformersClipEncoder:
    """A CLIP or SigLIP of transformers, a local folder or a name on the hub: one space for both."""

    kind: Literal["transformers_clip"]
    name: Name
    model: str
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count


Encoding = OpenClipEncoder | TransformersClipEncoder | TinyClipEncoder | SeparateEncoder | TinySeparateEncoder
Encoder = Annotated[GivenEncoder | Encoding, Field(discriminator="kind")]
