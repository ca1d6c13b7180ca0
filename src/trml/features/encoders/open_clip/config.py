"""Options of the models of open_clip."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from trml.base.errors import WeightsMissing
from trml.base.fields import Count, Name, Positive, require, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig


@dataclass(config=strict)
class OpenClipEncoder(EncoderConfig):
    """A model of open_clip by name.

    Attributes:
        model: As open_clip names it.
        tag: Of its pretrained weights, which are downloaded once. Or:
        checkpoint: A local file of weights, .safetensors or .pt.
        frames: Of a clip, at most.
        frames_per_second: A limit on the frames of a clip.
        batch_size: Of sentences and of frames.
    """

    kind: Literal["open_clip"]
    name: Name
    model: str
    tag: str | None
    checkpoint: str | None
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    packages: ClassVar[tuple[str, ...]] = ("open_clip_torch", "torchvision", "transformers", "tokenizers")

    @model_validator(mode="after")
    def _one_source(self) -> "OpenClipEncoder":
        require(
            (self.tag is None) != (self.checkpoint is None),
            "give either tag (of pretrained weights) or checkpoint (a file), not both and not neither",
        )
        return self

    def weights_files(self) -> list[Path]:
        """Return the checkpoint; raise WeightsMissing if it is absent."""
        if self.checkpoint is None:
            return []
        path = Path(self.checkpoint)
        if not path.is_file():
            raise WeightsMissing(
                f"encoder {self.name}: checkpoint {path} is not a file; expected weights of {self.model} "
                "(.safetensors or .pt). Put it there or set encoder.checkpoint=<file>"
            )
        return [path]

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Name the model and its weights. Its modalities share one space."""
        return Description(f"{self.model}, {self.tag or Path(self.checkpoint or '').name}", aligned=True)
