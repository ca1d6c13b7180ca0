"""Options of a text model and a picture model of transformers."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig, files_in


@dataclass(config=strict)
class SeparateEncoder(EncoderConfig):
    """A text model and a picture model of transformers. Their two spaces are not aligned.

    Attributes:
        text: Source of the text model: a local folder, or a name on the hub.
        vision: Source of the picture model.
        frames: Of a clip, at most.
        frames_per_second: A limit on the frames of a clip.
        batch_size: Of sentences and of frames.
    """

    kind: Literal["separate"]
    name: Name
    text: str
    vision: str
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    packages: ClassVar[tuple[str, ...]] = ("transformers", "tokenizers", "torchvision")

    def weights_files(self) -> list[Path]:
        """Return the files of those models that are local folders."""
        return files_in(self.text, self.vision)

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Name the two models."""
        weights = f"text by {self.text}, pictures by {self.vision}, two models that were never trained together"
        return Description(weights, aligned=False)
