"""Options of CLIP and SigLIP through transformers."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, Positive, strict
from trml.corpora.contract import CorpusInfo
from trml.features.encoders.common.config import Description, EncoderConfig, files_in


@dataclass(config=strict)
class TransformersClipEncoder(EncoderConfig):
    """A CLIP or SigLIP of transformers: one space for texts and pictures.

    Attributes:
        model: A local folder, or a name on the hub.
        frames: Of a clip, at most.
        frames_per_second: A limit on the frames of a clip.
        batch_size: Of sentences and of frames.
    """

    kind: Literal["transformers_clip"]
    name: Name
    model: str
    frames: Count
    frames_per_second: Positive | None
    batch_size: Count

    packages: ClassVar[tuple[str, ...]] = ("transformers", "tokenizers", "torchvision")

    def weights_files(self) -> list[Path]:
        """Return the files of the model if it is a local folder."""
        return files_in(self.model)

    def describe(self, folder: Path | None, info: CorpusInfo) -> Description:
        """Name the model. Its modalities share one space."""
        return Description(f"{self.model}, through transformers", aligned=True)
