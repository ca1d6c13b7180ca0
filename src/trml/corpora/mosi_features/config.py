"""Options of CMU-MOSI with utterance-level features."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Count, Name, strict
from trml.corpora.common.config import CorpusConfig, Modalities


@dataclass(config=strict)
class MosiConfig(CorpusConfig):
    """CMU-MOSI with a feature vector for each modality of an utterance.

    Attributes:
        kind: `mosi`.
        name: Of the corpus.
        folder: Below data. It holds mosi_utterances.csv and mosi_features.npz.
        valid_videos: Training videos that are held out as dev.
        modalities: Those that are used.
    """

    kind: Literal["mosi"]
    name: Name
    folder: str
    valid_videos: Count
    modalities: Modalities

    brings: ClassVar[Literal["media", "features"]] = "features"
    published_as: ClassVar[str | None] = "CMU-MOSI"

    def raw_files(self, data: Path) -> list[Path]:
        """Return the table and the features."""
        return [data / self.folder / "mosi_utterances.csv", data / self.folder / "mosi_features.npz"]
