"""Options of the CLIP that the workflow pretrains."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from trml.base.artifacts import read_json
from trml.base.fields import Count, Name, Positive, Share, Width, require, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig
from trml.features.encoders.common.pretraining import Optimisation, TinyVision


@dataclass(config=strict)
class Pretraining(Optimisation):
    """How it is trained from pairs.

    Attributes:
        logit_scale: The initial one; its logarithm, as CLIP keeps it, which clamps it at that of 100.
        retrieval_bar: The least retrieval on held-out pairs, 0 to 1. None: any is accepted, and the encoder is not
            called aligned.
    """

    logit_scale: Annotated[float, Field(gt=0, le=4.7)]
    retrieval_bar: Share | None


@dataclass(config=strict)
class TinyText:
    """The text tower, as open_clip configures it. A context below 16 tokens would truncate pantomime's sentences."""

    context_length: Annotated[int, Field(ge=16)]
    vocab_size: Annotated[int, Field(ge=49408)]
    width: Width
    heads: Count
    layers: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyText":
        require(self.width % self.heads == 0, f"width {self.width} is no multiple of heads {self.heads}")
        return self


@dataclass(config=strict)
class TinyClipEncoder(EncoderConfig):
    """A small CLIP of open_clip's class, pretrained by the workflow on the corpus's pairs.

    Attributes:
        embed_dim: Width d of the shared space.
        vision: The picture tower.
        text: The text tower.
        pretraining: How it is trained.
        rotated: Whether each modality's vectors are turned by a random rotation of its own. They then hold the same, in
            spaces that are not aligned.
        frames: Of a clip, at most.
        frames_per_second: A limit on the frames of a clip.
        batch_size: Of sentences and of frames in encoding.
    """

    kind: Literal["tiny_clip"]
    name: Name
    embed_dim: Width
    vision: TinyVision
    text: TinyText
    pretraining: Pretraining
    rotated: bool
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    packages: ClassVar[tuple[str, ...]] = ("open_clip_torch", "torchvision")
    pretrained: ClassVar[bool] = True

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Describe the pretraining. The spaces count as aligned if it had to pass a bar and they are not turned."""
        assert folder is not None
        record = read_json(folder / "encoder.json")
        weights = f"pretrained by the workflow on {record['train_pairs']} pairs of {info.name}"
        weights += ", then rotated" if self.rotated else ""
        return Description(weights, aligned=record["bar"] is not None and not self.rotated, retrieval=record)
