"""Options of the two models that the workflow pretrains apart."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.artifacts import read_json
from trml.base.fields import Count, Name, Positive, Width, require, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig
from trml.features.encoders.common.pretraining import Optimisation, TinyVision


@dataclass(config=strict)
class TinyBert:
    """A small BERT. Its vocabulary has letters, and the most frequent words of the training sentences."""

    vocab_size: Annotated[int, Field(ge=256)]
    context_length: Annotated[int, Field(ge=16)]
    width: Width
    heads: Count
    layers: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyBert":
        require(self.width % self.heads == 0, f"width {self.width} is no multiple of heads {self.heads}")
        return self


@dataclass(config=strict)
class MaskedWords(Optimisation):
    """BERT's pretraining: `masked` is the share of the words that are predicted."""

    masked: Annotated[float, Field(gt=0, lt=1)]


@dataclass(config=strict)
class Autoencoding(Optimisation):
    """Reconstruction of a picture from one vector.

    Attributes:
        rebuilt_size: Pixels a side of the reconstruction.
        window: Pixels a side of the windows whose mean colour and contrast are removed from the target. None: the
            picture is reconstructed unchanged.
    """

    rebuilt_size: Width
    window: Count | None

    @model_validator(mode="after")
    def _divides(self) -> "Autoencoding":
        whole = self.window is None or self.rebuilt_size % self.window == 0
        require(whole, f"rebuilt_size {self.rebuilt_size} is no multiple of window {self.window}")
        return self


@dataclass(config=strict)
class SeparatePretraining:
    """The two pretrainings. They share neither pairs nor labels."""

    text: MaskedWords
    vision: Autoencoding


@dataclass(config=strict)
class TinySeparateEncoder(EncoderConfig):
    """A small BERT and a small vision transformer, pretrained apart by the workflow on the corpus's pairs.

    Attributes:
        text: The BERT.
        vision: The vision transformer.
        pretraining: How each is trained.
        frames: Of a clip, at most.
        frames_per_second: A limit on the frames of a clip.
        batch_size: Of sentences and of frames in encoding.
    """

    kind: Literal["tiny_separate"]
    name: Name
    text: TinyBert
    vision: TinyVision
    pretraining: SeparatePretraining
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    packages: ClassVar[tuple[str, ...]] = ("transformers", "tokenizers", "torchvision")
    pretrained: ClassVar[bool] = True

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Describe the two pretrainings."""
        assert folder is not None
        return Description(f"{read_json(folder / 'encoder.json')['how']} of {info.name}", aligned=False)
